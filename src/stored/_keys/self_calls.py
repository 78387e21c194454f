"""What does a call do with the object: as its function, as an argument, or in a built-in function?"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

from stored._keys.access_recorder import NOTHING, PART, Recorder, Use, escape, operator, passed
from stored._keys.tree_origins import ARGUMENTS, CLASS, DICT, OTHER, SELF, SUPER, constant_name
from stored._keys.tree_scopes import Scoped

__all__ = ["CHANGING", "ITERATION", "CallRecorder", "item_of", "leaves"]

ITERATION = ("__iter__", "__next__", "__aiter__", "__anext__", "__len__", "__getitem__", "__reversed__")

_COMPARISON = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__")

_CALLED_BY = {
    **dict.fromkeys(("str", "format", "print"), ("__str__", "__repr__", "__format__")),
    **dict.fromkeys(("repr", "ascii"), ("__repr__",)),
    **dict.fromkeys(("int", "float", "complex", "round", "range"), ("__int__", "__index__", "__trunc__", "__round__")),
    **dict.fromkeys(("iter", "list", "tuple", "enumerate", "zip", "reversed", "any", "all", "sum"), ITERATION),
    **dict.fromkeys(("set", "frozenset", "sorted", "min", "max"), (*ITERATION, *_COMPARISON)),
    **dict.fromkeys(("map", "filter"), (*ITERATION, "__call__")),
    **dict.fromkeys(("divmod", "pow"), ("__divmod__", "__rdivmod__", "__pow__", "__rpow__")),
    "dict": (*ITERATION, "keys"),
    "len": ("__len__",),
    "hash": ("__hash__",),
    "bool": ("__bool__", "__len__"),
    "abs": ("__abs__",),
    "next": ("__next__",),
    "float": ("__float__", "__index__"),
    "complex": ("__complex__", "__float__", "__index__"),
    "bytes": ("__bytes__", *ITERATION),
}
"""The special methods that a built-in function may call on an argument."""

_GROWING = frozenset(
    {
        *("append", "appendleft", "extend", "extendleft", "insert", "add", "sort", "reverse", "rotate", "__iadd__"),
        *("intersection_update", "difference_update", "symmetric_difference_update", "subtract", "write", "push"),
        *("fill", "put", "put_nowait", "resize", "itemset", "partition", "byteswap", "setflags", "frombytes"),
    }
)
_FILLING = frozenset({"update", "setdefault", "__setitem__"})
_REMOVING = frozenset(
    {"clear", "pop", "popitem", "popleft", "remove", "discard", "move_to_end", "get_nowait", "__delitem__"}
)

CHANGING = _GROWING | _FILLING | _REMOVING
"""The methods that change a container."""

_CHANGE_FIRST_ARGUMENT = frozenset(
    {
        *("copyto", "put", "place", "putmask", "put_along_axis", "fill_diagonal", "shuffle", "insort", "insort_left"),
        *("insort_right", "heappush", "heappop", "heapify", "heapreplace", "heappushpop", "next"),
    }
)

_EMPTY_MAKERS = frozenset(
    {"dict", "list", "set", "tuple", "frozenset", "bytearray", "OrderedDict", "deque", "Counter", "defaultdict"}
    | {"WeakKeyDictionary", "WeakValueDictionary", "WeakSet"}
)


class CallRecorder(Recorder):
    """Records calls."""

    if TYPE_CHECKING:  # what goes through the function has it

        def expression(self, node: ast.expr, use: Use) -> None:
            """Record an expression, of whose value this becomes."""

    def base(self, node: ast.expr) -> None:
        """Record an expression of which an attribute is read: it is the attribute that counts."""
        if isinstance(node, ast.Attribute):
            self.base(node.value)
        elif not isinstance(node, ast.Name):
            self.expression(node, PART)

    def expressions(self, nodes: Sequence[ast.expr], use: Use) -> None:
        """Record several."""
        for each in nodes:
            self.expression(each, use)

    def call(self, node: ast.Call, use: Use) -> None:
        """Record a call."""
        function = node.func
        if isinstance(function, ast.Name) and self.is_global(function):
            if self._builtin(function.id, node, use):
                return
        elif isinstance(function, ast.Attribute) and self._method(function, node, use):
            return
        self._function(function, use)
        self._arguments(node, self._names(function))

    # -- the function -------------------------------------------------------------------------------------------------

    def _function(self, node: ast.expr, use: Use) -> None:
        if isinstance(node, ast.Attribute):
            self.base(node.value)
        elif not isinstance(node, ast.Name):
            self.expression(node, PART)
        for origin in sorted(self.of(node)):
            if origin.name:
                self.read(node, origin, Use("nothing") if use == NOTHING else PART, is_called=True)
            elif origin == SELF:
                self.implicit[("__call__",), node.lineno] = None
            elif origin == CLASS:
                self.constructs = True

    def _names(self, node: ast.expr) -> tuple[str, ...]:
        """The names of a function, the first of which is global; empty if it has none."""
        origins = self.of(node)
        for origin in origins:
            is_method = bool(origin.name) and not origin.path and not origin.is_inside
            if is_method and len(origins) == 1:
                return f"<{origin.through}>", origin.name
        names: list[str] = []
        while isinstance(node, ast.Attribute):
            names.append(node.attr)
            node = node.value
        return (node.id, *reversed(names)) if isinstance(node, ast.Name) and self.is_global(node) else ()

    # -- arguments ----------------------------------------------------------------------------------------------------

    def _arguments(self, node: ast.Call, function: tuple[str, ...]) -> None:
        for position, argument in enumerate(node.args):
            self._argument(argument, function, position)
            if isinstance(argument, ast.Starred):
                function = ()  # how many there are before the next is not known
        for keyword in node.keywords:
            reason = "unpacked" if keyword.arg is None else f"passed as argument {keyword.arg!r}"
            self.expression(keyword.value, escape(reason))
            if keyword.arg == "out":
                self._change_arguments(node, keyword.value)
        if function and function[-1] in _CHANGE_FIRST_ARGUMENT and node.args:
            self.write_inside(node, node.args[0], how="grow", is_certain=function == ("next",))

    def _argument(self, argument: ast.expr, function: tuple[str, ...], position: int) -> None:
        if not isinstance(argument, ast.Starred):
            self.expression(argument, passed(function, position))
        elif ARGUMENTS in self.of(argument.value):
            self.use_of_arguments(argument, function, position)
        else:
            self.expression(argument.value, operator(*ITERATION))

    def use_of_arguments(self, node: ast.expr, function: tuple[str, ...], position: int) -> None:
        """The arguments of which the object is the first are passed on."""
        self._use_of_self(node, passed(function, position))

    def _change_arguments(self, node: ast.Call, out: ast.expr) -> None:
        for each in out.elts if isinstance(out, ast.Tuple) else [out]:
            self.write_inside(node, each, how="into", sources=[Scoped(given, self.scope) for given in node.args])

    # -- methods that change something --------------------------------------------------------------------------------

    def _method(self, function: ast.Attribute, node: ast.Call, use: Use) -> bool:
        """Record the call of a method of an attribute or of ``__dict__``; False if it is no such method."""
        origins, name = self.of(function.value), function.attr
        if name in {"__setattr__", "__delattr__", "__getattribute__", "__getattr__"} and node.args:
            return self._attribute_method(function, node, use)
        if DICT in origins:
            self._dict_method(function, node, use)
            return True
        attributes = any(each.name for each in origins)
        if (attributes or isinstance(function.value, ast.Attribute)) and name in CHANGING:
            self._changing_method(function, node, use)
            return True
        return False

    def _changing_method(self, function: ast.Attribute, node: ast.Call, use: Use) -> None:
        name, is_used = function.attr, use != NOTHING
        self.target_base(function.value)
        for origin in sorted(self.of(function.value)):
            if origin.name:  # an appended item alone tells nothing of what there was before
                self.read(node, origin, PART, is_used=is_used)
        self._arguments(node, ())
        given = [Scoped(each, self.scope) for each in (*node.args, *(each.value for each in node.keywords))]
        if name in _REMOVING:
            how, left = ("remove", "empty") if not is_used or name == "clear" else ("grow", "value")
            self.write_inside(node, function.value, how=how, leaves=left, is_certain=False)
        elif name in _GROWING:
            self.write_inside(node, function.value, how="grow", is_certain=False)
        else:
            keys = node.args[:1] if name != "update" else ()
            self.write_inside(node, function.value, how="into", is_certain=False, sources=given, keys=keys)

    def target_base(self, node: ast.expr) -> None:
        """Record an expression in which something is written: that is no read of what it refers to."""
        while isinstance(node, ast.Attribute | ast.Subscript):
            if isinstance(node, ast.Subscript):
                self.expression(node.slice, operator("__hash__", "__eq__", "__index__"))
            node = node.value
        if not isinstance(node, ast.Name):
            self.expression(node, PART)

    def _dict_method(self, function: ast.Attribute, node: ast.Call, use: Use) -> None:
        """Record a method of the ``__dict__`` of the object."""
        holder, name = function.value, function.attr
        key = constant_name(node.args[0]) if node.args else None
        if key is not None and name in {"get", "pop", "setdefault", "__getitem__", "__contains__"}:
            self.use(item_of(holder, key, node), PART if use == NOTHING else use)
            self.expressions(node.args[1:], escape("kept in an attribute"))
            if name == "pop":
                self.write(node, key, SELF, leaves="nothing", is_certain=True, is_direct=True)
            elif name == "setdefault":
                self._write_value(node, key, node.args[-1])
        elif name == "update":
            self._update_dict(node)
        elif name == "__setitem__" and key is not None:
            self.expressions(node.args[1:], escape("kept in an attribute"))
            self._write_value(node, key, node.args[-1])
        else:
            self.whole_dict(node, escape(f"used by {name}()"))
            self._arguments(node, ())

    def _update_dict(self, node: ast.Call) -> None:
        for keyword in node.keywords:
            self.expression(keyword.value, escape("kept in an attribute"))
            if keyword.arg is None:
                self.unknown_write(node, "__dict__.update() gets names that are computed")
            else:
                self._write_value(node, keyword.arg, keyword.value)
        for argument in node.args:
            self.expression(argument, escape("kept in attributes"))
            self.unknown_write(node, "__dict__.update() gets names that are computed")

    def _write_value(self, node: ast.expr, name: str, value: ast.expr) -> None:
        source = Scoped(value, self.scope)
        left = self.leaves(value)
        self.write(node, name, SELF, is_certain=True, leaves=left, sources=[source], is_direct=True)

    def leaves(self, value: ast.expr) -> str:
        """What an attribute has in it that is set to a value."""
        return leaves(value) if not isinstance(value, ast.Call) or self.is_global(_root(value)) else "value"

    # -- attributes by their names ------------------------------------------------------------------------------------

    def _attribute_method(self, function: ast.Attribute, node: ast.Call, use: Use) -> bool:
        """Record ``object.__setattr__(self, ...)``, ``super().__setattr__(...)`` and their like."""
        origins = self.of(function.value)
        is_own = bool(origins & {SELF, SUPER, CLASS})
        target, arguments = (function.value, node.args) if is_own else (node.args[0], node.args[1:])
        if not arguments:
            return False
        if function.attr == "__setattr__" and len(arguments) == 2:
            self._set_attribute(node, target, arguments, is_direct=SELF not in origins)
        elif function.attr == "__delattr__":
            self._delete_attribute(node, target, arguments, is_direct=SELF not in origins)
        elif self.of(target) - {OTHER}:
            self._get_attribute(node, target, arguments, use)
        else:
            return False
        if SUPER in origins:  # a base can have such a method of its own
            self._function(function, PART)
        elif not is_own:
            self.use(target, passed(self._names(function), 0))
        return True

    def _get_attribute(self, node: ast.Call, target: ast.expr, arguments: Sequence[ast.expr], use: Use) -> None:
        self.base(target)
        key = constant_name(arguments[0])
        self.expression(arguments[0], PART)
        self.expressions(arguments[1:], use)
        for origin in sorted(self.of(target)):
            if origin in {SELF, SUPER, CLASS} and key is None:
                self.unknown_read(node, "an attribute is read by a name that is computed")
            elif origin.name and key is None:
                self.read(node, origin, PART)
        if key is not None:
            found = ast.copy_location(ast.Attribute(target, key, ast.Load()), node)
            if self.scope.mangled(key) == key and SUPER not in self.of(target):
                self.use(found, use)
            else:  # strings are not mangled, and super().__getattribute__ looks at the object
                self.use(node, use)

    def _set_attribute(
        self, node: ast.Call, target: ast.expr, arguments: Sequence[ast.expr], is_direct: bool = False
    ) -> None:
        key, value = constant_name(arguments[0]), arguments[1]
        self.target_base(target)
        self.expression(arguments[0], PART)
        self.expression(value, escape("kept in an attribute"))
        self._write_by_name(node, target, key, value, leaves=self.leaves(value), is_direct=is_direct)
        if key is None and not self._passes_own_arguments(arguments):
            self._write_unknown(node, target)

    def _passes_own_arguments(self, arguments: Sequence[ast.expr]) -> bool:
        """Is this what ``__setattr__`` does in the end: setting what it was told to?"""
        own = [each.arg for each in self.tree.node.args.args][1:]
        given = [each.id for each in arguments if isinstance(each, ast.Name)]
        return getattr(self.tree.node, "name", "") in {"__setattr__", "__delattr__"} and given == own[: len(arguments)]

    def _delete_attribute(
        self, node: ast.Call, target: ast.expr, arguments: Sequence[ast.expr], is_direct: bool = False
    ) -> None:
        self.target_base(target)
        self.expression(arguments[0], PART)
        key = constant_name(arguments[0])
        self._write_by_name(node, target, key, None, leaves="nothing", is_direct=is_direct)

    def _write_by_name(
        self, node: ast.expr, target: ast.expr, key: str | None, value: ast.expr | None, **parts: object
    ) -> None:
        origins = self.of(target)
        self.note_set_elsewhere(key, origins)
        sources = [] if value is None else [Scoped(value, self.scope)]
        for origin in sorted(origins):
            if key is not None and not origin.name:
                is_certain = len(origins) == 1 and origin in {SELF, CLASS, SUPER}
                base = SELF if origin == SUPER else origin
                self.write(node, key, base, is_certain=is_certain, sources=sources, **parts)
        if any(origin.name for origin in origins):
            self.write_inside(node, target, how="into", sources=sources)

    def _write_unknown(self, node: ast.expr, target: ast.expr) -> None:
        if any(not origin.name for origin in self.of(target)):
            self.unknown_write(node, "an attribute is set by a name that is computed")

    # -- built-in functions -------------------------------------------------------------------------------------------

    def _builtin(self, name: str, node: ast.Call, use: Use) -> bool:
        """Record the call of a built-in function; False if it is no special one, or has nothing to do with the object.

        That it is built in is checked for each function that has such a syntax tree.
        """
        arguments, keywords = node.args, node.keywords
        match name:
            case "locals" | "vars" if not arguments:
                self.unknown_read(node, f"{name}() is used")
            case "eval" | "exec":
                self.unknown_read(node, f"{name}() may use it")
                self.unknown_write(node, f"{name}() may use it")
                self._arguments(node, ())
            case "getattr" | "hasattr" if len(arguments) >= 2 and self._is_own(arguments[0]):
                self._get_attribute(node, arguments[0], arguments[1:], use if name == "getattr" else PART)
            case "setattr" if len(arguments) == 3:
                self._set_attribute(node, arguments[0], arguments[1:])
            case "delattr" if len(arguments) == 2:
                self._delete_attribute(node, arguments[0], arguments[1:])
            case "vars" | "type" if len(arguments) == 1 and SELF in self.of(arguments[0]):
                self.base(arguments[0])
                self.use(node, use)
            case "super":
                self.expressions(arguments, PART)
                if arguments and not self._is_own_class(arguments[0]):
                    self.unknown_read(node, "super() begins at another class")
                self.use(node, use)
            case "isinstance" | "issubclass" | "id" | "callable" if not keywords:
                self.expressions(arguments, PART)
            case "dir" if arguments and SELF in self.of(arguments[0]):
                self.unknown_read(node, "dir() tells all names")
            case _ if name in _CALLED_BY and any(self.of(each) & {SELF, CLASS} for each in arguments):
                self.expressions([_unstarred(each) for each in arguments], operator(*_CALLED_BY[name]))
                self.expressions([each.value for each in keywords], escape("passed on"))
            case _:
                return False
        self.builtins_used.add(name)
        return True

    def _is_own_class(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id in {self.tree.class_name, "__class__"}

    def _is_own(self, node: ast.expr) -> bool:
        return bool(self.of(node) - {OTHER})


def _unstarred(node: ast.expr) -> ast.expr:
    return node.value if isinstance(node, ast.Starred) else node


def _root(node: ast.expr) -> ast.expr:
    while isinstance(node, ast.Attribute | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node


def item_of(holder: ast.expr, name: str, where: ast.expr) -> ast.Subscript:
    """The item of a name, as an expression that stands somewhere."""
    return ast.copy_location(ast.Subscript(holder, ast.Constant(name), ast.Load()), where)


def leaves(value: ast.expr) -> str:
    """What an attribute has in it that is set to a value: "nothing", "empty" (an empty container) or "value"."""
    match value:
        case ast.Constant(None):
            return "nothing"
        case ast.List([]) | ast.Tuple([]) | ast.Dict([], []) | ast.Constant("" | b""):
            return "empty"
        case ast.Call(func=ast.Name(name) | ast.Attribute(attr=name), args=arguments) if name in _EMPTY_MAKERS:
            is_empty = not arguments or (name == "defaultdict" and len(arguments) == 1)
            is_empty &= all(each.arg == "maxlen" for each in value.keywords)
            return "empty" if is_empty else "value"
    return "value"
