"""The Redis of this run, for the tests of the ephemeral stores."""

import pytest

from tests.services.plugin import redis_url

__all__ = ["redis_url"]

# The tests themselves are in a module that is not named like one.
pytest.register_assert_rewrite("tests.contract.ephemeral.contract")
