"""The project's own files, as the tests about its shape read them."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[2]
PACKAGES = ("shared", "server", "gate")
PYTHON_FOLDERS = (*PACKAGES, "tests", "benchmarks")

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Module(msgspec.Struct, frozen=True):
    """One Python file: where it is, its text, and its tree."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """Return its place below the project's root."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def import_name(self) -> str:
        """Return the name it is imported by."""
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def functions(self) -> list[Function]:
        """Return every function and method, inner ones too."""
        return [node for node in ast.walk(self.tree) if isinstance(node, Function)]


@cache
def modules(*folders: str) -> tuple[Module, ...]:
    """Return every Python file below the given folders, in the order of their names."""
    paths = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    texts = [(path, path.read_text(encoding="utf-8")) for path in paths]
    return tuple(Module(path, text, ast.parse(text, str(path))) for path, text in texts)


def docstring_node(node: ast.AST) -> ast.Constant | None:
    """Return the docstring of a module, class or function as a node."""
    body = getattr(node, "body", None)
    if not isinstance(body, list) or not body or not isinstance(body[0], ast.Expr):
        return None
    value = body[0].value
    return value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None


def dotted(node: ast.AST) -> str:
    """Return `a.b.c` for a chain of names, an empty string for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else node.attr
    return ""
