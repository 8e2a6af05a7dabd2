"""What an organiser tells one gate to do: numbered, signed by the tenant, obeyed once.

The signature is Ed25519 over "ttcommand1" | gate id | body with the key that signs the gate's bundles. Whoever carries a
command can delay it, never make, change or repeat one.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Meta, Struct, msgpack

from shared.admission.policy import GateRole, Product, ZoneMask
from shared.admission.verdict import Direction
from shared.ids import CommandId, GateId
from shared.packed import Bytes64, Ordinal, UnixMs, Words, unpack
from shared.problems import Denied

MOST_COMMANDS = 20
"""Commands in one frame."""

_LABEL = b"ttcommand1"
_FORM = "This command has a form this gate does not know: update the gate."

Name = Annotated[str, Meta(min_length=1, max_length=100)]
Telling = Annotated[str, Meta(min_length=1, max_length=200)]


class Configure(Struct, frozen=True, kw_only=True, tag="configure", forbid_unknown_fields=True, omit_defaults=True):
    """Be called this, and serve these people from now on; zones 0 and no products mean all of them.

    A role that is the usual one is left out: gates that know of none go on.
    """

    name: Name
    direction: Direction
    zones: ZoneMask
    products: Annotated[tuple[Product, ...], Meta(max_length=100)]
    role: GateRole = GateRole.LANE


class Hold(Struct, frozen=True, kw_only=True, tag="hold", forbid_unknown_fields=True):
    """Look at no codes, and show why, until told to resume."""

    reason: Telling


class Resume(Struct, frozen=True, kw_only=True, tag="resume", forbid_unknown_fields=True):
    """Scan again after a hold."""


class Notice(Struct, frozen=True, kw_only=True, tag="message", forbid_unknown_fields=True):
    """Show the staff a text until somebody has read it."""

    text: Telling


class Resync(Struct, frozen=True, kw_only=True, tag="resync", forbid_unknown_fields=True):
    """Load the whole snapshot anew."""


class Wipe(Struct, frozen=True, kw_only=True, tag="wipe", forbid_unknown_fields=True):
    """Let nobody in any more, hand the log over, then forget everything and end."""


Order = Configure | Hold | Resume | Notice | Resync | Wipe


class CommandKind(StrEnum):
    """The orders by name."""

    CONFIGURE = "configure"
    HOLD = "hold"
    RESUME = "resume"
    MESSAGE = "message"
    RESYNC = "resync"
    WIPE = "wipe"


class Command(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order and its place among a gate's; after ``expires_ms`` by the server's clock it is not to be obeyed any more."""

    id: CommandId
    number: Ordinal
    order: Order
    expires_ms: UnixMs | None = None


class SignedCommand(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What travels."""

    body: Annotated[bytes, Meta(max_length=4096)]
    signature: Bytes64


class Outcome(StrEnum):
    """What became of a command at the gate."""

    DONE = "done"
    REFUSED = "refused"
    EXPIRED = "expired"


class Receipt(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A gate's word on one command: what became of it, when by its clock, and what else there is to say."""

    command: CommandId
    number: Ordinal
    outcome: Outcome
    at_ms: UnixMs
    message: Words = ""


_commands: msgpack.Decoder[Command] = msgpack.Decoder(Command)
_orders: msgpack.Decoder[Order] = msgpack.Decoder(Order)


def kind_of(order: Order) -> CommandKind:
    """Return an order's name."""
    return CommandKind(str(order.__struct_config__.tag))


def pack_order(order: Order) -> bytes:
    """Return an order's bytes, as the server keeps it."""
    return msgpack.encode(order)


def unpack_order(data: bytes) -> Order:
    """Return an order that was kept.

    Raises:
        CodeMalformed: it is none.
    """
    return unpack(_orders, data, "A kept command cannot be read.")


def sign_command(command: Command, gate: GateId, config_key: Ed25519PrivateKey) -> SignedCommand:
    """Return a command for one gate, signed by its tenant."""
    body = msgpack.encode(command)
    return SignedCommand(body=body, signature=config_key.sign(_LABEL + gate.bytes + body))


def open_command(carried: SignedCommand, gate: GateId, config_key: Ed25519PublicKey) -> Command:
    """Return a command that is this gate's and its tenant's.

    Raises:
        Denied: the signature is not the tenant's, or the command is another gate's.
        CodeMalformed: its content is not a command this version knows.
    """
    try:
        config_key.verify(carried.signature, _LABEL + gate.bytes + carried.body)
    except InvalidSignature as exc:
        raise Denied("This command is not from this gate's organiser.") from exc
    return unpack(_commands, carried.body, _FORM)
