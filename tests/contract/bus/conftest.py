"""The RabbitMQ of this run, for the tests of the buses."""

import pytest

from tests.services.plugin import broker, vhost

__all__ = ["broker", "vhost"]

# The tests themselves are in a module that is not named like one.
pytest.register_assert_rewrite("tests.contract.bus.contract")
