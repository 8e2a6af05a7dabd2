"""A folder of compiled programs is used whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.chain.programs import BUBBLEGUM
from tests.chain_node.bench import FILES, VARIABLE, ProgramsMissing, compiled_programs, describe_programs
from tests.chain_node.stub_program import stub_program


def test_without_a_folder_there_are_none_and_the_run_says_so() -> None:
    assert compiled_programs({}) is None
    assert VARIABLE in describe_programs({})


def test_a_folder_that_lacks_one_is_refused_by_its_name(tmp_path: Path) -> None:
    for name in FILES.values():
        (tmp_path / name).write_bytes(stub_program())
    environ = {VARIABLE: str(tmp_path)}
    found = compiled_programs(environ)
    assert found is not None
    assert found[BUBBLEGUM] == stub_program()
    (tmp_path / "mpl_noop.so").unlink()
    with pytest.raises(ProgramsMissing, match=r"mpl_noop\.so$"):
        compiled_programs(environ)
    assert "mpl_noop.so" in describe_programs(environ)
