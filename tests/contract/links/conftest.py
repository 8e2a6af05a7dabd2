"""The RabbitMQ of this run, and the server that both links lead to."""

import pytest

from tests.services.plugin import broker, vhost

__all__ = ["broker", "vhost"]

# The tests themselves are in a module that is not named like one.
pytest.register_assert_rewrite("tests.contract.links.contract")
