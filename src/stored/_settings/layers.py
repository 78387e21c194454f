"""Which settings are in force? Those of the environment, and over them what `configure` has set."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from typing import Any, NamedTuple

from stored._settings.environment import settings_from_environment
from stored._settings.exported import Exported
from stored._settings.settings import GROUPS, Group, Settings, check_together
from stored._settings.validity import validity

__all__ = ["add_layer", "changed_settings", "changing_settings", "has_layer", "remove_layer", "settings"]

_current = settings_from_environment(os.environ)
_exported = Exported(_current)


def settings() -> Settings:
    """The settings in force."""
    return _current


class _Layer(NamedTuple):
    """What one `configure` sets.

    Parameters
    ----------
    setter : callable
        Returns the `configure` object, or None when that is gone: nothing can take the layer away then.
    values : mapping
        Checked settings by name.
    is_inherited : bool
        Was it there when the process began, from the environment or from the process that it was forked from?
    """

    setter: Callable[[], object | None]
    values: Mapping[str, Any]
    is_inherited: bool = False


# in the order in which they apply
_layers: list[_Layer] = [_Layer(lambda: None, _current._asdict(), is_inherited=True)]
_changed: set[str] = set()
_lock = threading.RLock()  # held to change settings, not to read them
# a fork waits for a change under way in another thread, which would never be completed in the child
os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=lambda: _begin_in_child())


def _begin_in_child() -> None:
    """What is in force in a forked process is not what it has set itself."""
    _layers[:] = [each._replace(is_inherited=True) for each in _layers]
    _lock.release()


def changed_settings() -> Set[str]:
    """The names of the settings that `configure` has set at some time: other processes may have inherited them."""
    return _changed


def _combined(layers: Iterable[_Layer]) -> Settings:
    """The settings that layers give together; of two values the later counts."""
    values: dict[str, Any] = {}
    for layer in layers:
        values.update(layer.values)
    return Settings(**values)


def _merged(layers: Iterable[_Layer]) -> list[_Layer]:
    """Layers, those joined that follow each other and stay for good: calls in a loop would fill memory otherwise."""
    result: list[_Layer] = []
    for layer in layers:
        last = result[-1] if len(result) > 1 else None  # the first is the environment's
        is_like_last = last is not None and last.setter() is None and last.is_inherited == layer.is_inherited
        if last is not None and is_like_last and layer.setter() is None:
            result[-1] = layer._replace(values={**last.values, **layer.values})
        else:
            result.append(layer)
    return result


def _put_in_force(layers: Iterable[_Layer], total: Settings) -> None:
    """Replace the layers and the settings that they give."""
    global _layers, _current
    _layers, _current = _merged(layers), total
    _exported.export(total)


def _conflict_in(group: Group, total: Settings) -> str | None:
    """Why settings of a group do not go together; not looked for, since it takes long, if they are those in force."""
    return None if group.of(total) == group.of(_current) else group.conflict_in(total)


@contextlib.contextmanager
def changing_settings() -> Iterator[None]:
    """A block in which this thread alone changes settings; if it did, also before an error, all shortcuts end."""
    has_changed = False
    try:
        with _lock:
            before = _current
            try:
                yield
            finally:
                has_changed = _current is not before
    finally:
        if has_changed:
            validity.invalidate()  # without the lock: shortcuts have locks of their own


def has_layer(setter: object) -> bool:
    """Does anything apply that an object has set?"""
    return any(layer.setter() is setter for layer in _layers)


def add_layer(setter: object, values: Mapping[str, Any], at_bottom: bool = False) -> None:
    """Apply values over all others, until `remove_layer` takes them away; within `changing_settings`.

    Parameters
    ----------
    setter : object
        Whose values they are. When it is gone, they stay for good.
    values : mapping
        Checked settings by name.
    at_bottom : bool, optional
        Apply them over those that this process has inherited only.

    Raises
    ------
    ConfigurationError
        If the settings do not go together then; none is changed.
    """
    inherited = sum(each.is_inherited for each in _layers)
    place = inherited if at_bottom else len(_layers)
    layers = [*_layers[:place], _Layer(weakref.ref(setter), values), *_layers[place:]]
    total = _combined(layers)
    for group in GROUPS:
        if _conflict_in(group, total) is not None:  # because of this layer, or already before it: see remove_layer
            total = total._replace(**group.of(check_together(_current._replace(**values), [group])))
    _changed.update(values)
    _put_in_force(layers, total)


def remove_layer(setter: object) -> list[str]:
    """Take away what an object has set; within `changing_settings`.

    Of what remains, a group of settings that do not go together stays as it is, and what to warn of is returned,
    unless the object has set none of them: then it was returned before.
    """
    layers = [layer for layer in _layers if layer.setter() is not setter]
    total, before, warnings = _combined(layers), _combined(_layers), []
    for group in GROUPS:
        conflict = _conflict_in(group, total)
        if conflict is not None:
            if group.of(total) != group.of(before):
                warnings.append(conflict + group.kept.format(now=_current))
            total = total._replace(**group.of(_current))
    _put_in_force(layers, total)
    return warnings
