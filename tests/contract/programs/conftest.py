"""The engines: the model always, the compiled programs wherever a folder with them is named."""

from __future__ import annotations

import pytest

from tests.chain_node.bench import compiled_programs
from tests.contract.programs.engines import Compiled, Engine, Model


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Ask for each engine that there is; the run's header says which there are not."""
    if "engine" in metafunc.fixturenames:
        kinds = ["model"] if compiled_programs() is None else ["model", "compiled"]
        metafunc.parametrize("engine", kinds, indirect=True)


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> Engine:
    """Give a chain with no trees."""
    binaries = compiled_programs()
    if request.param == "model" or binaries is None:
        return Model()
    return Compiled(binaries)
