"""Broken copies of a geometry module: every sign, operator, order and quantity mistaken for another."""

import ast
import copy
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

_OPPOSITE = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult}
_CONFUSED = {"rows": "columns", "columns": "rows", "row_spacing_mm": "column_spacing_mm",
             "column_spacing_mm": "row_spacing_mm", "sid_mm": "sod_mm", "sod_mm": "sid_mm",
             "primary_angle_deg": "secondary_angle_deg", "secondary_angle_deg": "primary_angle_deg",
             "detector_axes": "image_axes", "image_axes": "detector_axes"}


def load(source: str, original: ModuleType) -> ModuleType:
    """A module of the given source that stands in the original's package."""
    module = ModuleType(original.__name__ + "_mutant")
    module.__package__ = original.__package__
    sys.modules[module.__name__] = module
    try:
        exec(compile(source, module.__name__, "exec"), module.__dict__)
    finally:
        del sys.modules[module.__name__]
    return module


def source_of(module: ModuleType) -> str:
    return Path(module.__file__).read_text(encoding="utf-8")


def mutants(module: ModuleType, names: set[str]) -> Iterator[tuple[str, str]]:
    """(what was changed, source) for every single mutation inside the functions or constants of these names."""
    tree = ast.parse(source_of(module))
    count = len(list(_changes(tree, names)))
    for k in range(count):
        broken = copy.deepcopy(tree)
        where, what, change = list(_changes(broken, names))[k]
        change()
        yield f"line {where}: {what}", ast.unparse(ast.fix_missing_locations(broken))


def _changes(tree: ast.Module, names: set[str]) -> Iterator[tuple[int, str, Callable[[], None]]]:
    for part in ast.walk(tree):
        named = (isinstance(part, ast.FunctionDef) and part.name in names) or (
            isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Name) and part.targets[0].id in names)
        if named:
            body = part.body if isinstance(part, ast.FunctionDef) else [part]
            for statement in body:
                for node in ast.walk(statement):
                    for what, change in _changes_of(node):
                        yield node.lineno, what, change


def _changes_of(node: ast.AST) -> Iterator[tuple[str, Callable[[], None]]]:
    match node:
        case ast.UnaryOp(op=ast.USub()):
            yield "minus dropped", lambda: setattr(node, "op", ast.UAdd())
        case ast.BinOp(op=op) if type(op) in _OPPOSITE:
            opposite = _OPPOSITE[type(op)]
            yield f"{type(op).__name__} became {opposite.__name__}", lambda: setattr(node, "op", opposite())
        case ast.BinOp(op=ast.MatMult()):
            yield "product turned round", lambda: _swap(node)
        case ast.Constant(value=float() as value) if value:
            yield f"{value} became {-value}", lambda: setattr(node, "value", -value)
        case ast.Constant(value=str() as value) if value.isupper() and len(value) == 3:
            for other in ("XYZ", "YXZ", value.lower()):
                yield f"{value} became {other}", lambda other=other: setattr(node, "value", other)
        case ast.Constant(value=bool() as value):
            yield f"{value} became {not value}", lambda: setattr(node, "value", not value)
        case ast.Attribute(attr="T"):
            yield "transpose dropped", lambda: setattr(node, "attr", "real")
        case ast.Attribute(attr=name) if name in _CONFUSED:
            yield f"{name} became {_CONFUSED[name]}", lambda: setattr(node, "attr", _CONFUSED[name])
        case ast.List(elts=items) | ast.Tuple(elts=items) if len({ast.dump(item) for item in items}) > 1 and (
                isinstance(node.ctx, ast.Load)):
            yield "axes rolled", lambda: items.append(items.pop(0))


def _swap(node: ast.BinOp) -> None:
    node.left, node.right = node.right, node.left
