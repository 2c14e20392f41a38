"""What a mutant is: a module with one small change of what it decides.

The operators are the usual ones of mutation testing (Offutt and others 1996): relations,
arithmetic, boolean connectives, constants and conditions. Texts, docstrings, annotations, logs and
errors are left alone, for a test that notices those would only repeat them.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from typing import NamedTuple

RELATIONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
}
QUIET = ("log", "say", "print")


class Mutant(NamedTuple):
    """`line` counts from 1; `change` is for a person; `source` is the whole module."""

    line: int
    change: str
    source: str


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of a module, in the order of its lines.

    >>> [mutant.change for mutant in mutants("def f(a): return a < 1")]
    ['a < 1 -> a <= 1', '1 -> 2']
    """
    tree = ast.parse(source)
    places = [node for node in ast.walk(tree) if hasattr(node, "lineno")]
    ignored = set(_ignored(tree))
    for index, node in sorted(enumerate(places), key=lambda each: (each[1].lineno, each[0])):
        if id(node) in ignored:
            continue
        for variant in _variants(node):
            changed = copy.deepcopy(tree)
            twin = [each for each in ast.walk(changed) if hasattr(each, "lineno")][index]
            _replace(changed, twin, variant)
            yield Mutant(node.lineno, f"{_shown(node)} -> {_shown(variant)}", ast.unparse(changed))


def _variants(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in RELATIONS:
        yield _with(node, ops=[RELATIONS[type(node.ops[0])]()])
    elif isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        yield _with(node, op=ARITHMETIC[type(node.op)]())
    elif isinstance(node, ast.BoolOp):
        yield _with(node, op=ast.And() if isinstance(node.op, ast.Or) else ast.Or())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
        yield node.operand
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield ast.Constant(node.value + 1)
    elif isinstance(node, ast.Constant) and isinstance(node.value, float):
        yield ast.Constant(node.value * 1.5 + 0.1)
    elif isinstance(node, ast.IfExp):
        yield _with(node, body=node.orelse, orelse=node.body)


def _ignored(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        for each in _hidden(node):
            if each is not None:
                yield from (id(inner) for inner in ast.walk(each))


def _hidden(node: ast.AST) -> list[ast.AST | None]:
    """The parts of a node that decide nothing."""
    if isinstance(node, ast.FunctionDef):
        annotations = [argument.annotation for argument in node.args.args]
        return [node.returns, *node.decorator_list, *annotations]
    if isinstance(node, ast.AnnAssign):
        return [node.annotation]
    quiet = isinstance(node, ast.Call) and ast.unparse(node.func).partition(".")[0] in QUIET
    for_types = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
    if quiet or for_types or isinstance(node, (ast.Raise, ast.JoinedStr)):
        return [node]
    return []


def _with(node: ast.AST, **fields: object) -> ast.AST:
    made = copy.copy(node)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def _replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, field, new)
            elif isinstance(value, list) and any(each is old for each in value):
                setattr(parent, field, [new if each is old else each for each in value])


def _shown(node: ast.AST) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 60 else text[:57] + "..."
