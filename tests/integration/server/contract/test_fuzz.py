"""The description is a promise: whatever is sent, the answers are those it names."""

from __future__ import annotations

import pytest

from tests.integration.server.contract.fuzzing import Attack, attack, examples_wanted
from tests.integration.server.contract.hall import Hall
from tests.integration.server.contract.operations import find_shadowed, read_operations

ENDINGS = "^/api/v1/events/[^/]+/(cancel|close)$"
"""Apart from the rest: once they succeed there is little left to try."""
PEOPLE, GATES = "^/(?!gate/)(?!.*/(cancel|close)$)", "^/gate/"
NOT_PLAIN = "^/gate/v1/(link|scans|quarantine)$|/live$"
"""The first becomes a WebSocket, two take signed MessagePack, the last goes on without end; all have tests of their own."""


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("caller", "scheme", "only"),
    [
        ("attendee", "user", PEOPLE),
        ("admin", "user", PEOPLE),
        ("manager", "user", ENDINGS),
        ("gate", "gate", GATES),
    ],
)
async def test_server_keeps_its_promise_to(caller: str, scheme: str, only: str, hall: Hall) -> None:
    proofs = {"gate": "gate", "user": "attendee", "key": "key"} | {scheme: caller}
    outcome = await attack(
        Attack(
            url=hall.served.running.base_url,
            proofs={name: hall.prove(who, "", "")["Authorization"][7:] for name, who in proofs.items()},
            places=hall.home.places,
            only=only,
            # Where no links are described there is nothing to follow.
            phases="examples,coverage,fuzzing,stateful" if only == PEOPLE else "coverage,fuzzing",
            never=NOT_PLAIN,
            shadowed=find_shadowed(await read_operations(hall)),
            examples=examples_wanted(5),
        )
    )
    assert outcome.status == 0, outcome.output
