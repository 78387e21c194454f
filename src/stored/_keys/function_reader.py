"""What do the functions of a file say, and which names do they use that they do not define?

One pass over the syntax tree of the file tells both, for each function with all that is inside it. What a function says
is a text of its tree without all that cannot change a result: comments, formatting, docstrings, annotations and the
`stored` decorator itself. It is the same in every version of Python.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from stored._keys.asked_items import (
    ASKING,
    asked_for,
    constant_item,
    dotted,
    environment_asked,
    has_no_arguments,
    last_name,
    seeded_by,
    variable_asked_for,
)
from stored._keys.syntax import FunctionNode, mangled, parameters
from stored._keys.used_names import CHANGING, LEGACY_GENERATORS, MEMBER, Origin, ReadFunction, Scope, UsedName

__all__ = ["read_functions"]


def read_functions(tree: ast.Module) -> Iterator[tuple[FunctionNode, str | None, ReadFunction]]:
    """All functions of a file, with the names of the classes in whose bodies they stand."""
    reader = _Reader()
    reader.block(tree.body)
    return iter(reader.found)


_Visit: TypeAlias = "Callable[[_Reader, Any], None]"

_WITHOUT_MEANING = frozenset({"ctx", "kind", "type_comment", "type_ignores"})

_HARMLESS_DECORATORS = frozenset(
    {"property", "staticmethod", "classmethod", "cached_property", "abstractmethod", "override"}
    | {"lru_cache", "cache", "wraps", "contextmanager"}
)
"""Decorators that read no annotations."""


class _Reader:
    def __init__(self) -> None:
        self.found: list[tuple[FunctionNode, str | None, ReadFunction]] = []
        self.out: list[str] = []
        self.class_name: str | None = None
        self.scopes = [Scope("module")]

    # -- nodes --------------------------------------------------------------------------------------------------------

    def block(self, statements: list[ast.stmt]) -> None:
        """Read statements."""
        self._value(statements)

    def _plain(self, node: Any) -> None:
        out = self.out
        opening, fields = _FORMS[node.__class__]
        out.append(opening)
        if fields:
            for name in fields:
                value = getattr(node, name, None)
                _VISITS[value.__class__](self, value)
            out.append(")")

    def _value(self, value: Any) -> None:
        """Read a node, a list of them, or a part of one."""
        _VISITS[value.__class__](self, value)

    def _list(self, values: list[Any]) -> None:
        self.out.append("[")
        for each in values:
            _VISITS[each.__class__](self, each)
        self.out.append("]")

    def _leaf(self, value: Any) -> None:
        self.out.append(f"{value!a},")

    def _joined_string(self, node: ast.JoinedStr) -> None:
        """Some versions of Python have empty strings between the parts of it, others have none."""
        self.out.append("JoinedStr(")
        self._value([each for each in node.values if not (isinstance(each, ast.Constant) and each.value == "")])
        self.out.append(")")

    def _constant(self, node: ast.Constant) -> None:
        value = node.value
        # Python limits how many decimal digits it writes
        self.out.append(f"{type(value).__name__}:{hex(value) if type(value) is int else ascii(value)},")

    # -- names --------------------------------------------------------------------------------------------------------

    def _bind(self, name: str) -> None:
        self.scopes[-1].bound.add(mangled(name, self.class_name))

    def _use(self, root: str, path: tuple[str, ...] = (), item: str | None = None, is_bare: bool = False) -> None:
        self.scopes[-1].reads.add(UsedName(mangled(root, self.class_name), path, None, item, is_bare))

    def _change(self, node: ast.expr) -> None:
        """Note an object that is changed, or the method that is called to change it: somebody's own may do anything."""
        base, path = dotted(node)
        if isinstance(base, ast.Name):
            self.scopes[-1].changes.add(UsedName(mangled(base.id, self.class_name), path))

    def _asked(self, kind: str, node: ast.expr, rest: list[Any], item: str | None, is_bare: bool = False) -> bool:
        """Read a name, with attributes, that is asked for an item; False if it is no name, or that is no constant."""
        if (item is None and not is_bare) or not isinstance(dotted(node)[0], ast.Name):
            return False
        self.out.append(f"{kind}(")
        self._chain(node, item=item, is_bare=is_bare)
        self._value(rest)
        self.out.append(f"{item!a})")
        return True

    def _name(self, node: ast.Name) -> None:
        self.out.append(f"{node.id!a},")
        if isinstance(node.ctx, ast.Load):
            self._use(node.id, ())
        else:
            self._bind(node.id)

    def _attribute(self, node: ast.Attribute) -> None:
        is_changed = not isinstance(node.ctx, ast.Load)
        if is_changed:
            self._change(node.value)
        self._chain(node, is_changed)

    def _chain(self, node: ast.expr, is_changed: bool = False, more: tuple[str, ...] = (), **how: Any) -> None:
        """Attributes of a name, or of something else; one that is assigned to, or changed, is not read."""
        base, path = dotted(node)
        if isinstance(base, ast.Name) and isinstance(base.ctx, ast.Load):
            self.out.append(f"{base.id!a},")
            if not is_changed:
                self._use(base.id, (*[mangled(each, self.class_name) for each in path], *more), **how)
        else:
            self._value(base)
        self.out.append("".join([f".{each}" for each in path]))

    def _subscript(self, node: ast.Subscript) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._changed_item(node)
            return
        is_of_environment = last_name(node.value) == "environ"
        item = variable_asked_for(node.slice) if is_of_environment else constant_item(node.slice)
        if not self._asked("Item", node.value, [node.slice] if is_of_environment else [], item):
            self._plain(node)

    def _changed_item(self, node: ast.Subscript) -> None:
        self.out.append("Item(")
        if isinstance(node.value, ast.Subscript):
            self._changed_item(node.value)
        else:
            self._change(node.value)
            self._chain(node.value, is_changed=True)
        self._value(node.slice)
        self.out.append(")")

    def _expression(self, node: ast.Expr) -> None:
        """A statement that calls a method to change an object, such as ``calls.append(x)``, does not read that."""
        call = node.value
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in CHANGING:
            self.out.append("Changing(")
            self._chain(call.func.value, is_changed=True)
            self._change(call.func)
            self.out.append(f".{call.func.attr}")
            self._value([*call.args, *call.keywords])
            self.out.append(")")
        else:
            self._plain(node)

    def _call(self, node: ast.Call) -> None:
        name = last_name(node.func)
        items = [constant_item(each) for each in node.args[:2]]
        rest = [*node.args, *node.keywords]
        if name == "getattr" and len(items) == 2 and items[1] is not None:
            self.out.append("Call('getattr',")
            self._use("getattr", ())
            self._chain(node.args[0], more=(items[1],))
            self._value(rest[1:])
            self.out.append(")")
        elif not self._asking_call(node, name, items, rest):
            self._plain(node)

    def _asking_call(self, node: ast.Call, name: str, items: list[str | None], rest: list[Any]) -> bool:
        """Read a call that asks for something by a constant, or makes a generator; False if it is none."""
        if has_no_arguments(node):
            return self._asked("Call", node.func, rest, None, is_bare=True)
        if name in LEGACY_GENERATORS:
            return self._asked("Call", node.func, rest, seeded_by(node))
        where = environment_asked(node, name)
        if where is not None:
            asked = [*node.args, *[each.value for each in node.keywords if each.arg == "key"], None]
            return self._asked("Call", where, rest, variable_asked_for(asked[0]))
        if not items:
            return False
        if name == "get" and isinstance(node.func, ast.Attribute):
            return self._asked("Get", node.func.value, rest, items[0])
        return name in ASKING and self._asked("Call", node.func, rest, asked_for(items[0], rest[1:]))

    def _compare(self, node: ast.Compare) -> None:
        """A constant is looked for in something: of the environment, and of the modules, nothing else counts."""
        item, kind = constant_item(node.left), type(node.ops[0])
        is_asking = item is not None and len(node.ops) == 1 and kind in {ast.In, ast.NotIn}
        if not (is_asking and self._asked(kind.__name__, node.comparators[0], [], f"{MEMBER}{item}")):
            self._plain(node)

    def _augmented(self, node: ast.AugAssign) -> None:
        """An object that is changed in place; a variable is bound again, too."""
        self._change(node.target)
        self._plain(node)

    # -- statements that bind names -----------------------------------------------------------------------------------

    def _import(self, node: ast.Import) -> None:
        for each in node.names:
            top = each.name.partition(".")[0]
            self._bind_import(each.asname or top, Origin(each.name if each.asname else top))
        self._plain(node)

    def _import_from(self, node: ast.ImportFrom) -> None:
        for each in node.names:
            self._bind_import(each.asname or each.name, Origin(node.module or "", node.level, each.name))
        self._plain(node)

    def _bind_import(self, name: str, origin: Origin) -> None:
        self._bind(name)
        self.scopes[-1].imports.setdefault(mangled(name, self.class_name), []).append(origin)

    def _declared(self, node: ast.Global | ast.Nonlocal) -> None:
        names = self.scopes[-1].outside if isinstance(node, ast.Global) else self.scopes[-1].enclosing
        names.update([mangled(each, self.class_name) for each in node.names])
        self._plain(node)

    def _bound_by_name(self, node: Any) -> None:
        name = getattr(node, "name", None) or getattr(node, "rest", None)
        if isinstance(name, str):
            self._bind(name)
        self._plain(node)

    def _named(self, node: ast.NamedExpr) -> None:
        """An assignment in an expression binds its name outside of comprehensions."""
        scope = next(each for each in reversed(self.scopes) if each.kind != "comprehension")
        scope.bound.add(mangled(node.target.id, self.class_name))
        self.out.append(f"Named({node.target.id!a},")
        self._value(node.value)
        self.out.append(")")

    def _annotated(self, node: ast.AnnAssign) -> None:
        if self.scopes[-1].kind == "class":
            self._plain(node)  # in a class, the annotation can count: it declares a field of a dataclass
        elif node.value is not None:
            self._plain(ast.Assign([node.target], node.value))
        else:
            self.out.append("Local(")  # even without a value, the statement makes the name a local variable
            self._value(node.target)
            self.out.append(")")

    # -- scopes -------------------------------------------------------------------------------------------------------

    def _function(self, node: FunctionNode) -> None:
        out, self.out = self.out, []
        self.out.append(f"{node.__class__.__name__}(")
        decorators: list[ast.expr] = []
        if not isinstance(node, ast.Lambda):
            self._bind(node.name)
            self.out.append(f"{node.name!a},")
            decorators = [each for each in node.decorator_list if not _is_decorator(each, {"stored"})]
        self._value(decorators)
        self._arguments(node.args)
        if not all(_is_decorator(each, _HARMLESS_DECORATORS) for each in decorators):
            self._annotations(node)
        scope = self._enter("function")
        for parameter in parameters(node.args):
            self._bind(parameter.arg)
        self._value(getattr(node, "type_params", []))
        self._value(node.body if isinstance(node, ast.Lambda) else _without_docstring(node.body))
        self.out.append(")")
        self._leave()
        text, self.out = "".join(self.out), out
        self.out.append(text)
        reads, changes = [frozenset(scope.free(each)) for each in (scope.reads, scope.changes)]
        self.found.append((node, self.class_name, ReadFunction(text, reads, changes=changes)))

    def _arguments(self, node: ast.arguments) -> None:
        """The names of arguments by kind, and their defaults, which belong to the scope around."""
        kinds = (node.posonlyargs, node.args, [node.vararg], node.kwonlyargs, [node.kwarg])
        self.out.append(f"{[[each and each.arg for each in kind] for kind in kinds]!a}")
        self._value(node.defaults)
        self._value(node.kw_defaults)

    def _annotations(self, node: Any) -> None:
        """Annotations, which a decorator may read, by their texts."""
        written = [each.annotation for each in parameters(node.args)]
        self.out.append(f"{[each and ast.unparse(each) for each in (*written, node.returns)]!a}")

    def _class(self, node: ast.ClassDef) -> None:
        self._bind(node.name)
        self.out.append(f"ClassDef({node.name!a},")
        for each in (node.decorator_list, node.bases, node.keywords):
            self._value(each)
        around, self.class_name = self.class_name, node.name
        self._enter("class")
        self._value(getattr(node, "type_params", []))
        self._value(_without_docstring(node.body))
        self._leave()
        self.class_name = around
        self.out.append(")")

    def _comprehension(self, node: Any) -> None:
        self.out.append(f"{node.__class__.__name__}(")
        self._value(node.generators[0].iter)  # which alone is evaluated in the scope around
        self._enter("comprehension")
        for number, each in enumerate(node.generators):
            self._value(each.target)
            if number:
                self._value(each.iter)
            self._value(each.ifs)
            self.out.append(f"{each.is_async},")
        for name in ("key", "value", "elt"):
            if hasattr(node, name):
                self._value(getattr(node, name))
        self._leave()
        self.out.append(")")

    def _enter(self, kind: str) -> Scope:
        scope = Scope(kind)
        self.scopes.append(scope)
        return scope

    def _leave(self) -> None:
        self.scopes.pop().leave(self.scopes[-1])


class _Forms(dict[Any, tuple[str, tuple[str, ...]]]):
    """How the texts of nodes without a handler begin, and their fields, by class."""

    def __missing__(self, kind: Any) -> tuple[str, tuple[str, ...]]:
        fields = tuple([each for each in kind._fields if each not in _WITHOUT_MEANING])
        form = self[kind] = (f"{kind.__name__}(" if fields else kind.__name__), fields
        return form


_FORMS = _Forms()


def _is_decorator(node: ast.expr, names: set[str] | frozenset[str]) -> bool:
    """Is a decorator one of these names, called or not?"""
    call = node.func if isinstance(node, ast.Call) else node
    return getattr(call, "attr", getattr(call, "id", None)) in names


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return body[1:] or [ast.Pass()]
    return body


class _Visits(dict[type, _Visit]):
    """How nodes, and parts of them, are read: those without an entry as they are."""

    def __missing__(self, kind: type) -> _Visit:
        visit: _Visit = _Reader._plain if issubclass(kind, ast.AST) else _Reader._leaf
        self[kind] = visit
        return visit


_VISITS = _Visits(
    {
        list: _Reader._list,
        ast.Constant: _Reader._constant,
        ast.JoinedStr: _Reader._joined_string,
        ast.Name: _Reader._name,
        ast.Attribute: _Reader._attribute,
        ast.Subscript: _Reader._subscript,
        ast.Expr: _Reader._expression,
        ast.Call: _Reader._call,
        ast.Import: _Reader._import,
        ast.ImportFrom: _Reader._import_from,
        **dict.fromkeys((ast.Global, ast.Nonlocal), _Reader._declared),
        ast.NamedExpr: _Reader._named,
        ast.AnnAssign: _Reader._annotated,
        ast.AugAssign: _Reader._augmented,
        ast.Compare: _Reader._compare,
        ast.ClassDef: _Reader._class,
        **dict.fromkeys((ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda), _Reader._function),
        **dict.fromkeys((ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp), _Reader._comprehension),
        **dict.fromkeys((ast.ExceptHandler, ast.MatchAs, ast.MatchStar, ast.MatchMapping), _Reader._bound_by_name),
        **{
            getattr(ast, each): _Reader._bound_by_name
            for each in ("TypeVar", "ParamSpec", "TypeVarTuple")
            if hasattr(ast, each)
        },
    }
)
