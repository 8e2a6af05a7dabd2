"""Commands are their tenant's and their gate's, or nothing."""

from __future__ import annotations

from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import msgpack
from msgspec.structs import replace

from shared.admission.verdict import Direction
from shared.ids import CommandId
from shared.problems import CodeMalformed, Denied
from shared.sync.command import (
    Command,
    CommandKind,
    Configure,
    Hold,
    Notice,
    Order,
    Resume,
    Resync,
    SignedCommand,
    Wipe,
    kind_of,
    open_command,
    pack_order,
    sign_command,
    unpack_order,
)
from tests.unit.shared.samples import NORTH, SOUTH, secret

KEY = Ed25519PrivateKey.from_private_bytes(secret("config"))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(secret("another tenant"))
ORDERS: dict[CommandKind, Order] = {
    CommandKind.CONFIGURE: Configure(name="North 2", direction=Direction.EXIT, zones=5, products=(1, 2)),
    CommandKind.HOLD: Hold(reason="Lift broken"),
    CommandKind.RESUME: Resume(),
    CommandKind.MESSAGE: Notice(text="Doors in 5 minutes"),
    CommandKind.RESYNC: Resync(),
    CommandKind.WIPE: Wipe(),
}
WIPE = Command(id=CommandId(UUID(int=7)), number=3, order=Wipe(), expires_ms=9)


@pytest.mark.parametrize("kind", CommandKind)
def test_an_order_comes_back_under_its_name(kind: CommandKind) -> None:
    order = ORDERS[kind]
    assert (unpack_order(pack_order(order)), kind_of(order)) == (order, kind)
    command = Command(id=CommandId(UUID(int=1)), number=1, order=order)
    assert open_command(sign_command(command, NORTH, KEY), NORTH, KEY.public_key()) == command


def test_a_command_of_another_key_for_another_gate_or_changed_on_the_way_is_denied() -> None:
    signed = sign_command(WIPE, NORTH, KEY)
    later = msgpack.encode(replace(WIPE, number=4))
    for carried, gate, key in (
        (sign_command(WIPE, NORTH, OTHER_KEY), NORTH, KEY),
        (signed, SOUTH, KEY),
        (SignedCommand(body=later, signature=signed.signature), NORTH, KEY),
        (SignedCommand(body=signed.body, signature=bytes(64)), NORTH, KEY),
    ):
        with pytest.raises(Denied, match="organiser"):
            open_command(carried, gate, key.public_key())
    assert open_command(signed, NORTH, KEY.public_key()) == WIPE


def test_a_genuine_command_of_a_later_program_is_named_as_that() -> None:
    body = msgpack.encode({"id": str(WIPE.id), "number": 3, "order": {"type": "dance"}, "expires_ms": None})
    signature = KEY.sign(b"ttcommand1" + NORTH.bytes + body)
    with pytest.raises(CodeMalformed, match="update the gate"):
        open_command(SignedCommand(body=body, signature=signature), NORTH, KEY.public_key())
    with pytest.raises(CodeMalformed):
        unpack_order(b"\xc1")
