"""Tests prove what they say: none sleeps, patches, skips or swallows a failure."""

from __future__ import annotations

import ast

import pytest

from tests.meta.sources import PACKAGES, Module, dotted, modules

EXCEPTIONS: frozenset[str] = frozenset()

FORBIDDEN_MODULES = ("unittest.mock", "mock", "pytest_mock", "time_machine", "freezegun")
FORBIDDEN_NAMES = (
    "pytest.skip",
    "pytest.xfail",
    "pytest.importorskip",
    "pytest.mark.skip",
    "pytest.mark.skipif",
    "pytest.mark.xfail",
    "mock.patch",
    "unittest.skip",
)
BROAD = {"Exception", "BaseException"}


def faults_of(module: Module) -> list[str]:
    """Return every place in a test file where something is dodged."""
    faults = []
    for node in ast.walk(module.tree):
        fault = import_fault(node) or name_fault(node) or sleep_fault(node) or patch_fault(node)
        if fault:
            faults.append(f"{module.name}:{getattr(node, 'lineno', 0)} {fault}")
    return faults + swallowed(module)


def import_fault(node: ast.AST) -> str:
    """Tell whether a module for mocking is imported."""
    names: list[str] = []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
    found = [name for name in names if name in FORBIDDEN_MODULES or name in FORBIDDEN_NAMES]
    return f"imports {found[0]}" if found else ""


def name_fault(node: ast.AST) -> str:
    """Tell whether a skip or a patch is used, called or not."""
    name = dotted(node) if isinstance(node, ast.Attribute) else ""
    return f"uses {name}" if name in FORBIDDEN_NAMES else ""


def sleep_fault(node: ast.AST) -> str:
    """Tell whether a call waits for time to pass; giving way once with zero is no waiting."""
    if not isinstance(node, ast.Call) or dotted(node.func).rpartition(".")[2] != "sleep":
        return ""
    gives_way = len(node.args) == 1 and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0
    return "" if gives_way and dotted(node.func) == "asyncio.sleep" else "sleeps"


def patch_fault(node: ast.AST) -> str:
    """Tell whether pytest's own patching is used to replace code."""
    patches = isinstance(node, ast.Call) and dotted(node.func) in {"monkeypatch.setattr", "monkeypatch.setitem"}
    return "replaces code" if patches else ""


def swallowed(module: Module) -> list[str]:
    """Return broad handlers whose body does nothing."""
    handlers = [node for node in ast.walk(module.tree) if isinstance(node, ast.ExceptHandler)]
    broad = [one for one in handlers if one.type is None or dotted(one.type) in BROAD]
    return [f"{module.name}:{one.lineno} swallows everything" for one in broad if isinstance(one.body[0], ast.Pass)]


def test_no_test_dodges() -> None:
    found = modules("tests")
    faults = [fault for module in found if module.name not in EXCEPTIONS for fault in faults_of(module)]
    assert not faults, "\n".join(faults)


def test_no_package_swallows_everything() -> None:
    faults = [fault for module in modules(*PACKAGES) for fault in swallowed(module)]
    assert not faults, "\n".join(faults)


def test_every_test_asserts_something() -> None:
    silent = [
        f"{module.name}:{function.lineno} {function.name}"
        for module in modules("tests")
        for function in module.functions()
        if function.name.startswith("test_") and not proves_something(function)
    ]
    assert not silent, "\n".join(silent)


def proves_something(function: ast.AST) -> bool:
    """Tell whether a function asserts, expects an exception, or calls something that does so for it."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        name = dotted(node.func).rpartition(".")[2] if isinstance(node, ast.Call) else ""
        if name in {"raises", "fail"} or name.startswith(("assert_", "check_", "expect_")):
            return True
    return False


@pytest.mark.parametrize(
    "text",
    [
        "import time\ntime.sleep(0)",
        "async def f(): await asyncio.sleep(0.01)",
        "from unittest.mock import patch",
        "from unittest import mock",
        "@pytest.mark.skipif(True, reason='')\ndef test_x(): ...",
        "pytest.skip('no')",
        "np = pytest.importorskip('numpy')",
        "monkeypatch.setattr(time, 'time', lambda: 0)",
        "try:\n    f()\nexcept Exception:\n    pass",
        "try:\n    f()\nexcept:\n    pass",
    ],
)
def test_the_rule_sees_each_way_out(text: str) -> None:
    assert faults_of(Module(modules("tests")[0].path, text, ast.parse(text)))


def test_giving_way_once_is_allowed() -> None:
    text = "async def f(): await asyncio.sleep(0)"
    assert not faults_of(Module(modules("tests")[0].path, text, ast.parse(text)))
