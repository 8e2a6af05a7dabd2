"""The gate's secrets and identity on the disk."""

from __future__ import annotations

import stat
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from gate.files import make_directory, write_private
from gate.identity import IDENTITY_NAME, Identity, load_identity, save_identity
from gate.keystore import (
    KEYS_NAME,
    KeysExposed,
    load_keys,
    make_keys,
    read_b64url,
    save_keys,
    write_b64url,
)
from gate.passphrase import PassphraseWrong, check_passphrase
from gate.store.lock import hold_directory
from gate.store.problems import AgentRunning
from shared.admission.verdict import Direction
from shared.ids import EventId, GateId, TenantId
from shared.problems import CodeMalformed, DataDamaged, NotFound, SettingsInvalid, Unavailable
from shared.settings import Secret

IDENTITY = Identity(
    gate=GateId(UUID(int=1)),
    tenant=TenantId(UUID(int=2)),
    event=EventId(UUID(int=3)),
    event_name="Evening",
    name="North 2",
    direction=Direction.EXIT,
    zones=5,
    products=(1, 2),
    server="https://tickets.example.org",
    config_key=write_b64url(make_keys().sign.public_key().public_bytes_raw()),
)


def test_keys_come_back_and_are_the_owners_alone(tmp_path: Path) -> None:
    keys = make_keys()
    save_keys(tmp_path, keys)
    loaded = load_keys(tmp_path)
    assert loaded.sign.private_bytes_raw() == keys.sign.private_bytes_raw()
    assert loaded.seal.private_bytes_raw() == keys.seal.private_bytes_raw()
    assert stat.S_IMODE((tmp_path / KEYS_NAME).stat().st_mode) == 0o600
    assert repr(loaded) == "GateKeys(...)"


def test_sealed_keys_open_with_their_passphrase_only(tmp_path: Path) -> None:
    keys, passphrase = make_keys(), Secret("correct horse battery")
    save_keys(tmp_path, keys, passphrase)
    stored = (tmp_path / KEYS_NAME).read_bytes()
    assert load_keys(tmp_path, passphrase).sign.private_bytes_raw() == keys.sign.private_bytes_raw()
    assert write_b64url(keys.sign.private_bytes_raw()).encode() not in stored
    with pytest.raises(PassphraseWrong, match="do not open"):
        load_keys(tmp_path, Secret("correct horse batterz"))
    with pytest.raises(PassphraseWrong, match="TICKETTOKEN_GATE_PASSPHRASE"):
        load_keys(tmp_path)
    write_private(tmp_path / KEYS_NAME, stored.replace(b'"sealed":"', b'"sealed":"AAAA'))
    with pytest.raises(PassphraseWrong):
        load_keys(tmp_path, passphrase)


def test_same_keys_sealed_twice_look_different(tmp_path: Path) -> None:
    keys, passphrase = make_keys(), Secret("correct horse battery")
    seen = set()
    for _ in range(2):
        save_keys(tmp_path, keys, passphrase)
        seen.add((tmp_path / KEYS_NAME).read_bytes())
    assert len(seen) == 2


def test_short_passphrase_is_refused_before_anything_is_sealed_with_it() -> None:
    check_passphrase(None)
    check_passphrase(Secret("twelve chars"))
    with pytest.raises(SettingsInvalid, match="12 characters"):
        check_passphrase(Secret("eleven char"))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o620])
def test_keys_open_to_others_are_refused_with_the_command_to_run(tmp_path: Path, mode: int) -> None:
    save_keys(tmp_path, make_keys())
    (tmp_path / KEYS_NAME).chmod(mode)
    with pytest.raises(KeysExposed, match="chmod 600"):
        load_keys(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"version":1,"signKey":"AA","sealKey":"AA"}', b"\xff\xfe"])
def test_damaged_keys_are_told_from_missing_ones(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(NotFound, match="not enrolled"):
        load_keys(tmp_path)
    write_private(tmp_path / KEYS_NAME, content)
    with pytest.raises(DataDamaged):
        load_keys(tmp_path)


def test_identity_comes_back(tmp_path: Path) -> None:
    save_identity(tmp_path, IDENTITY)
    assert load_identity(tmp_path) == IDENTITY


def test_identity_with_a_wrong_key_or_a_strange_field_is_damaged(tmp_path: Path) -> None:
    save_identity(tmp_path, structs.replace(IDENTITY, config_key="AAAA"))
    with pytest.raises(DataDamaged):
        load_identity(tmp_path)
    write_private(tmp_path / IDENTITY_NAME, b'{"gate":"x","surprise":1}')
    with pytest.raises(DataDamaged):
        load_identity(tmp_path)


def test_written_file_replaces_the_old_one_and_leaves_nothing_behind(tmp_path: Path) -> None:
    write_private(tmp_path / "note", b"one")
    (tmp_path / ".note.unfinished").write_bytes(b"torn by a power cut")
    write_private(tmp_path / "note", b"two")
    assert [path.name for path in tmp_path.iterdir()] == ["note"]
    assert (tmp_path / "note").read_bytes() == b"two"


def test_directory_under_a_file_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Unavailable, match="cannot be made"):
        make_directory(tmp_path / "file" / "data")


def test_directory_has_one_holder_at_a_time(tmp_path: Path) -> None:
    with hold_directory(tmp_path), pytest.raises(AgentRunning, match=str(tmp_path)):
        hold_directory(tmp_path).__enter__()
    with hold_directory(tmp_path):
        assert (tmp_path / "agent.lock").exists()


@given(st.binary(max_size=80))
def test_base64url_comes_back_without_padding(data: bytes) -> None:
    text = write_b64url(data)
    assert not set(text) & set("=+/")
    assert read_b64url(text) == data


@pytest.mark.parametrize("text", ["A", "A*AA", "AAAA\n", "ÄÄÄÄ"])
def test_other_text_is_not_base64url(text: str) -> None:
    with pytest.raises(CodeMalformed):
        read_b64url(text)
