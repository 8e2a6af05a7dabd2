"""The code keeps its shape: short files and functions, few parameters, full types, a sentence on top of each module."""

from __future__ import annotations

import ast

from tests.meta.sources import PACKAGES, PYTHON_FOLDERS, Function, Module, docstring_node, modules

MOST_FILE_LINES = 300
MOST_FUNCTION_LINES = 40
MOST_PARAMETERS = 5
MOST_NESTING = 3

# Each entry would need a reason beside it; there is none.
EXCEPTIONS: frozenset[str] = frozenset()

NESTING = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.Match)


def function_lines(function: Function) -> int:
    """Count from the `def` line to the end, without the docstring."""
    whole = (function.end_lineno or function.lineno) - function.lineno + 1
    docstring = docstring_node(function)
    if docstring is None:
        return whole
    return whole - ((docstring.end_lineno or docstring.lineno) - docstring.lineno + 1)


def parameters(function: Function) -> list[ast.arg]:
    """Return all parameters but `self` and `cls`."""
    given = function.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    starred = [one for one in (given.vararg, given.kwarg) if one is not None]
    return [one for one in (*named, *starred) if one.arg not in {"self", "cls"}]


def nesting(node: ast.AST, depth: int = 0) -> int:
    """Return how deep conditions and loops lie in each other; `elif` is no level, inner functions start anew."""
    deepest = depth
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function | ast.ClassDef | ast.Lambda):
            continue
        is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and child in node.orelse
        step = 1 if isinstance(child, NESTING) and not is_elif else 0
        deepest = max(deepest, nesting(child, depth + step))
    return deepest


def faults_of(module: Module) -> list[str]:
    """Return what is out of shape in one module."""
    faults = []
    lines = module.text.count("\n")
    if lines > MOST_FILE_LINES:
        faults.append(f"{module.name}: {lines} lines")
    if docstring_node(module.tree) is None:
        faults.append(f"{module.name}: no sentence at its top")
    for function in module.functions():
        place = f"{module.name}:{function.lineno} {function.name}"
        faults += [f"{place}: {fault}" for fault in function_faults(function)]
    return faults


def function_faults(function: Function) -> list[str]:
    """Return what is out of shape in one function."""
    faults = []
    if (lines := function_lines(function)) > MOST_FUNCTION_LINES:
        faults.append(f"{lines} lines")
    if (count := len(parameters(function))) > MOST_PARAMETERS:
        faults.append(f"{count} parameters")
    if (depth := nesting(function)) > MOST_NESTING:
        faults.append(f"{depth} levels deep")
    if any(one.annotation is None for one in parameters(function)) or function.returns is None:
        faults.append("not fully typed")
    return faults


def test_every_module_keeps_the_shape() -> None:
    found = modules(*PYTHON_FOLDERS)
    assert {module.name.split("/", maxsplit=1)[0] for module in found} >= set(PACKAGES)
    faults = [fault for module in found if module.name not in EXCEPTIONS for fault in faults_of(module)]
    assert not faults, "\n".join(faults)


def test_the_rule_sees_each_kind_of_fault() -> None:
    body = "\n".join(f"    x = {number}" for number in range(MOST_FUNCTION_LINES + 1))
    deep = "    if a:\n        for _ in b:\n            while c:\n                try:\n                    d()\n"
    text = f"def long(self, a, b, c, d, e, f):\n{body}\n\ndef deep():\n{deep}                finally:\n                    e()\n"
    tree = ast.parse(text)
    long, nested = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert function_faults(long) == [f"{MOST_FUNCTION_LINES + 2} lines", "6 parameters", "not fully typed"]
    assert function_faults(nested) == ["4 levels deep", "not fully typed"]
    assert docstring_node(tree) is None
