"""A log signed by the gate itself still has to be a chain."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gate.logfile import check_log, make_header, write_header, write_record
from gate.sealing import FileTampered, seal_file, unseal_file
from shared.clock import from_unix_ms
from shared.sync.scan import GENESIS, LoggedRecord, encode_record, extend_chain
from tests.integration.gate.logbook import FRESH, NOW_MS, record
from tests.integration.gate.venue import identity


def lines(records: int, claimed: int | None = None) -> list[bytes]:
    """Return a log's lines without the signature."""
    head = make_header(identity(), FRESH, records if claimed is None else claimed, from_unix_ms(NOW_MS))
    found, previous = [write_header(head)], GENESIS
    for number in range(1, records + 1):
        body = encode_record(record(number))
        previous = extend_chain(previous, body)
        found.append(write_record(LoggedRecord(gate_seq=number, body=body, chain=previous)))
    return found


def test_whole_chain_is_accepted_even_an_empty_one() -> None:
    assert [check_log(b"".join(lines(count))).records for count in (0, 1, 5)] == [0, 1, 5]


@pytest.mark.parametrize(
    "broken",
    [
        lines(5, claimed=6),
        lines(3)[:2] + lines(3)[3:],
        [lines(3)[0], *lines(3)[:0:-1]],
        [*lines(1), b'{"type":"record","seq":2,"body":"!!","chain":""}\n'],
        [*lines(1), b"not a line\n"],
        [lines(1)[0], lines(1)[1].replace(b'"admitted":true', b'"admitted":false')],
        [b"\n"],
    ],
)
def test_broken_chain_is_refused(broken: list[bytes]) -> None:
    with pytest.raises(FileTampered):
        check_log(b"".join(broken))


def test_every_changed_byte_of_a_sealed_file_is_noticed() -> None:
    key = Ed25519PrivateKey.generate()
    sealed = seal_file(b"one\ntwo\n", key)
    assert unseal_file(sealed).content == b"one\ntwo\n"
    for place in range(8):
        with pytest.raises(FileTampered):
            unseal_file(sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :])
