"""What classes of pydantic hold beside their fields: the defaults of private attributes."""

from __future__ import annotations

from pydantic import fields

from stored._adapters.registry import Adapter, add

add(
    Adapter(
        fields.ModelPrivateAttr,
        "pydantic.fields.ModelPrivateAttr",
        key=lambda value: (repr(value.default), value.default_factory),
    )
)
