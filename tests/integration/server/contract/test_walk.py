"""Every operation is called by everybody: who may is let in, who may not is told so, and nobody reaches the other side."""

from __future__ import annotations

from tests.integration.server.contract.access_table import ACCESS, CALLERS
from tests.integration.server.contract.hall import Hall
from tests.integration.server.contract.operations import Operation, encode, read_operations

REFUSED = {
    401: {"token_missing", "token_invalid", "api_key_invalid", "gate_token_invalid", "service_signature_invalid"},
    403: {"scope_missing", "service_not_allowed"},
}
OF_ONE_SIDE = {
    "event",
    "ticket",
    "transfer",
    "reservation",
    "gate",
    "snapshot",
    "type",
    "key",
    "supervisor",
    "seat",
    "import",
    "conflict",
}
NAMING_IN_THE_BODY = {"POST /api/v1/tickets/reserve", "POST /api/v1/tickets/purchase"}


async def test_every_operation_has_its_row_and_every_row_its_operation(hall: Hall) -> None:
    assert {one.name for one in await read_operations(hall)} == set(ACCESS)


async def test_everybody_gets_what_the_table_says(hall: Hall) -> None:
    operations = await read_operations(hall)
    faults = [fault for one in operations for caller in CALLERS if (fault := await find_fault(hall, one, caller))]
    assert not faults, "\n".join(faults)


async def find_fault(hall: Hall, one: Operation, caller: str) -> str:
    """Call something that is not there, without a body, and return what is wrong with the answer.

    Who may call is asked before what is asked for, so that nothing is changed and nothing has to be there.
    """
    row = ACCESS.get(one.name, "")
    allowed = row == "." or CALLERS[caller] in row
    nowhere = hall.home.places | {"name": "nobody", "gate": hall.home.places["spare"]}
    nowhere |= dict.fromkeys(OF_ONE_SIDE & set(one.places), "00000000-0000-7000-8000-000000000000")
    reply = await one.ask(hall, caller, one.address(nowhere, one.sample(nowhere).query))
    refused = reply.status in REFUSED and str(reply.code) in REFUSED[reply.status]
    documented = str(reply.status) in one.told["responses"]
    if refused == allowed or not documented:
        return f"{one.name} as {caller}: {reply.status} {reply.body[:200]!r}, allowed: {allowed}"
    return ""


async def test_nobody_reaches_the_other_side(hall: Hall) -> None:
    """An id of another organiser is answered as one that does not exist, whoever asks."""
    faults = []
    for one in await read_operations(hall):
        row = ACCESS.get(one.name, "")
        if row != "." and (OF_ONE_SIDE & set(one.places) or one.name in NAMING_IN_THE_BODY):
            faults += [await trespass(hall, one, caller) for caller in CALLERS if CALLERS[caller] in row]
    assert len(faults) > 150
    assert not any(faults), "\n".join(fault for fault in faults if fault)


async def trespass(hall: Hall, one: Operation, caller: str) -> str:
    """Ask for the other side's things with a sound request and return what is wrong with the answer."""
    sample = one.sample(hall.away.places)
    reply = await one.ask(hall, caller, one.address(hall.away.places, sample.query), encode(sample.body))
    if reply.status == 404 and str(reply.code) in one.codes(404):
        return ""
    return f"{one.name} as {caller}: {reply.status} {reply.body[:200]!r}"


async def test_a_stranger_to_a_ticket_does_not_find_it(hall: Hall) -> None:
    """Of the same organiser's customers, too, each sees only what is theirs."""
    own = {"ticket", "reservation", "transfer"}
    faults = []
    for one in await read_operations(hall):
        if "A" not in ACCESS.get(one.name, "") or not own & set(one.places):
            continue
        sample = one.sample(hall.home.places)
        for caller in ("friend", "door", "office", "manager", "admin"):
            if "transfer" in one.places and caller == "friend":
                continue  # it is for this very person
            reply = await one.ask(hall, caller, one.address(hall.home.places, sample.query), encode(sample.body))
            theirs = reply.status == 404 or (reply.status == 403 and str(reply.code) == "recipient_unproven")
            faults += [] if theirs else [f"{one.name} as {caller}: {reply.status} {reply.body[:160]!r}"]
    assert not faults, "\n".join(faults)
