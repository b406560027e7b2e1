"""Faults in Python code: every one of a few kinds, at every place where it can be made."""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Change = tuple[ast.AST, ast.AST]  # what stands there, what stands there instead

_COMPARE: dict[type[ast.cmpop], list[type[ast.cmpop]]] = {
    ast.Eq: [ast.NotEq], ast.NotEq: [ast.Eq], ast.Lt: [ast.LtE, ast.GtE], ast.LtE: [ast.Lt, ast.Gt],
    ast.Gt: [ast.GtE, ast.LtE], ast.GtE: [ast.Gt, ast.Lt], ast.In: [ast.NotIn], ast.NotIn: [ast.In],
    ast.Is: [ast.IsNot], ast.IsNot: [ast.Is],
}  # fmt: skip
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
}  # fmt: skip
_CALLED = {"fullmatch": "match", "min": "max", "max": "min", "any": "all", "all": "any"}
_STRIPPED = {"strip", "lower"}


@dataclass(frozen=True)
class Mutant:
    """A fault: its name (file, function, what became what), the line that it is on, and the whole file with it."""

    name: str
    file: str
    line: int
    source: str

    def __str__(self) -> str:
        return self.name


def mutants(file: str, source: str) -> Iterator[Mutant]:
    """Every mutant of a file, in the order of its lines."""
    tree = ast.parse(source)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    seen: Counter[str] = Counter()
    for node in ast.walk(tree):
        if _said(node, parents):
            continue
        for made in _changes(node, parents):
            text, place = _text(node, made), _place(node, parents)
            name = f"{file} {place}: {text}"
            seen[name] += 1
            if seen[name] > 1:
                name += f" ({seen[name]})"
            yield Mutant(name, file, getattr(node, "lineno", 1), _with(tree, parents, node, made))


def _changes(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> Iterator[ast.AST]:
    """What could stand in the place of a node."""
    for kind, change in _KINDS.items():
        if isinstance(node, kind):
            yield from change(node)
    if isinstance(node, ast.Constant) and not isinstance(parents.get(node), ast.JoinedStr | ast.FormattedValue):
        yield from _constant(node, parents)


def _condition(node: ast.If | ast.IfExp | ast.While) -> Iterator[ast.AST]:
    for test in (ast.Constant(value=False), ast.Constant(value=True)):
        if not (isinstance(node, ast.While) and test.value) and ast.dump(node.test) != ast.dump(test):
            made = copy.copy(node)
            made.test = test
            yield made


def _raise(_: ast.Raise) -> Iterator[ast.AST]:
    yield ast.Pass()


def _statement(node: ast.Expr) -> Iterator[ast.AST]:
    if not isinstance(node.value, ast.Constant):
        yield ast.Pass()


def _assignment(node: ast.Assign | ast.AugAssign | ast.Delete) -> Iterator[ast.AST]:
    """Only what adds to something that is there: without the rest nothing would run at all."""
    if not isinstance(node, ast.Assign) or isinstance(node.targets[0], ast.Subscript | ast.Attribute):
        yield ast.Pass()


def _compare(node: ast.Compare) -> Iterator[ast.AST]:
    for index, operator in enumerate(node.ops):
        for other in _COMPARE[type(operator)]:
            made = copy.copy(node)
            made.ops = [*node.ops[:index], other(), *node.ops[index + 1 :]]
            yield made


def _logic(node: ast.BoolOp) -> Iterator[ast.AST]:
    yield ast.BoolOp(op=ast.Or() if isinstance(node.op, ast.And) else ast.And(), values=node.values)
    for index in range(len(node.values)):
        left = [*node.values[:index], *node.values[index + 1 :]]
        yield left[0] if len(left) == 1 else ast.BoolOp(op=node.op, values=left)


def _unary(node: ast.UnaryOp) -> Iterator[ast.AST]:
    if isinstance(node.op, ast.Not | ast.USub):
        yield node.operand


def _binary(node: ast.BinOp) -> Iterator[ast.AST]:
    if isinstance(node.op, ast.BitOr):
        if not isinstance(node.right, ast.Constant):  # not the | of a type
            yield node.left
            yield node.right
    elif type(node.op) in _ARITHMETIC:
        yield ast.BinOp(left=node.left, op=_ARITHMETIC[type(node.op)](), right=node.right)


def _entries(node: ast.Dict) -> Iterator[ast.AST]:
    for index in range(len(node.keys)):
        keys, values = list(node.keys), list(node.values)
        del keys[index], values[index]
        yield ast.Dict(keys=keys, values=values)


def _elements(node: ast.Tuple | ast.List | ast.Set) -> Iterator[ast.AST]:
    if isinstance(getattr(node, "ctx", None), ast.Store) or len(node.elts) < 2:
        return
    for index in range(len(node.elts)):
        made = copy.copy(node)
        made.elts = [*node.elts[:index], *node.elts[index + 1 :]]
        yield made


def _call(node: ast.Call) -> Iterator[ast.AST]:
    for index in range(len(node.keywords)):
        made = copy.copy(node)
        made.keywords = [*node.keywords[:index], *node.keywords[index + 1 :]]
        yield made
    called = node.func
    if isinstance(called, ast.Attribute) and called.attr in _CALLED:
        made = copy.copy(node)
        made.func = ast.Attribute(value=called.value, attr=_CALLED[called.attr], ctx=ast.Load())
        yield made
    if isinstance(called, ast.Name) and called.id in _CALLED:
        made = copy.copy(node)
        made.func = ast.Name(id=_CALLED[called.id], ctx=ast.Load())
        yield made
    if isinstance(called, ast.Attribute) and called.attr in _STRIPPED:
        yield called.value


def _filtered(node: ast.comprehension) -> Iterator[ast.AST]:
    for index in range(len(node.ifs)):
        made = copy.copy(node)
        made.ifs = [*node.ifs[:index], *node.ifs[index + 1 :]]
        yield made


def _left(node: ast.Return | ast.Break) -> Iterator[ast.AST]:
    if isinstance(node, ast.Break) or node.value is None:
        yield ast.Pass()


def _constant(node: ast.Constant, parents: dict[ast.AST, ast.AST]) -> Iterator[ast.AST]:
    value, above = node.value, parents.get(node)
    if isinstance(above, ast.Expr):  # a docstring
        return
    if isinstance(value, bool):
        yield ast.Constant(value=not value)
    elif isinstance(value, int | float):
        yield ast.Constant(value=value + 1)
        if value > 1:
            yield ast.Constant(value=0)
    elif isinstance(value, str) and isinstance(above, ast.Call) and ast.unparse(above.func) == "re.compile":
        yield ast.Constant(value="(?s:.*)")


_KINDS: dict[type[ast.AST] | tuple[type[ast.AST], ...], Callable[..., Iterator[ast.AST]]] = {
    (ast.If, ast.IfExp, ast.While): _condition,
    ast.Raise: _raise,
    ast.Expr: _statement,
    (ast.Assign, ast.AugAssign, ast.Delete): _assignment,
    ast.Compare: _compare,
    ast.BoolOp: _logic,
    ast.UnaryOp: _unary,
    ast.BinOp: _binary,
    ast.Dict: _entries,
    (ast.Tuple, ast.List, ast.Set): _elements,
    ast.Call: _call,
    ast.comprehension: _filtered,
    (ast.Return, ast.Break): _left,
}


def _said(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    """Whether it is only a part of what a person is told, or of a type, or of the guard of a script."""
    at: ast.AST | None = node
    while at is not None:
        above = parents.get(at)
        if _left_out(node, at, above):
            return True
        at = above
    return False


def _left_out(node: ast.AST, at: ast.AST, above: ast.AST | None) -> bool:
    """As `_said`, for one step up from the node to the module."""
    message = isinstance(above, ast.Raise) and isinstance(node, ast.Constant | ast.BinOp | ast.JoinedStr)
    annotation = isinstance(above, ast.AnnAssign | ast.arg) and at is above.annotation
    returned = isinstance(above, ast.FunctionDef) and at is above.returns
    parameters = isinstance(above, ast.Subscript) and isinstance(node, ast.Tuple) and at is above.slice
    unpacked = isinstance(above, ast.Assign) and at is node and isinstance(above.targets[0], ast.Tuple)
    as_many = unpacked and isinstance(node, ast.Tuple)  # values as names
    alias = isinstance(at, ast.AnnAssign) and "TypeAlias" in ast.unparse(at.annotation)
    script = isinstance(at, ast.If) and "__name__" in ast.unparse(at.test)
    cast = isinstance(above, ast.Call) and isinstance(above.func, ast.Name) and above.func.id == "cast"
    imported = isinstance(at, ast.Import | ast.ImportFrom)
    return any((message, annotation, returned, parameters, as_many, alias, script, cast, imported))


def _text(node: ast.AST, made: ast.AST) -> str:
    def short(one: ast.AST) -> str:
        if isinstance(one, ast.If | ast.While):
            return f"{type(one).__name__.lower()} {ast.unparse(one.test)}"
        return " ".join(ast.unparse(one).split())[:110]

    return f"{short(node)} -> {short(made)}"


def _place(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> str:
    names = []
    at: ast.AST | None = node
    while at is not None:
        if isinstance(at, ast.FunctionDef | ast.ClassDef):
            names.append(at.name)
        at = parents.get(at)
    return ".".join(reversed(names)) or "<module>"


def _with(tree: ast.Module, parents: dict[ast.AST, ast.AST], node: ast.AST, made: ast.AST) -> str:
    """The file, with `made` where `node` is. The tree is as before afterwards."""
    above = parents[node]
    for field, value in ast.iter_fields(above):
        if value is node:
            setattr(above, field, made)
            text = ast.unparse(ast.fix_missing_locations(copy.deepcopy(tree)))
            setattr(above, field, node)
            return text
        if isinstance(value, list) and any(one is node for one in value):
            index = next(number for number, one in enumerate(value) if one is node)
            value[index] = made
            text = ast.unparse(ast.fix_missing_locations(copy.deepcopy(tree)))
            value[index] = node
            return text
    raise AssertionError(f"{node} is nowhere")
