"""The golden vectors of codes: made again they are the same, and two readers that share nothing agree on every one."""

from __future__ import annotations

import ast
import inspect
import json
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from shared.admission.verdict import Reason
from shared.codes.capsule import CodePolicy
from shared.codes.keys import hash_handle
from shared.codes.reader import CodeRead, CodeReader, EpochKey
from tests.vectors import independent
from tests.vectors.make_codes import TARGET, make_vectors

VECTORS: dict[str, Any] = json.loads(TARGET.read_text())
CODES, CAPSULES = VECTORS["codes"], VECTORS["capsules"]
CODE_NAMES, CAPSULE_NAMES = [code["name"] for code in CODES], [capsule["name"] for capsule in CAPSULES]


def moment(text: str) -> datetime:
    """Return an aware time."""
    return datetime.fromisoformat(text)


def keys() -> list[EpochKey]:
    """Return the epochs as the project's reader takes them."""
    as_bytes = [
        key | {name: bytes.fromhex(key[name]) for name in ("envelope_key", "issuer")} for key in VECTORS["epochs"]
    ]
    return [msgspec.convert(key, EpochKey) for key in as_bytes]


def epochs() -> list[independent.Epoch]:
    """Return the epochs as the independent reader takes them."""
    return [
        independent.Epoch(
            event=UUID(key["event"]),
            number=key["epoch"],
            start=moment(key["starts"]),
            end=moment(key["ends"]),
            slot_s=key["slot_s"],
            envelope_key=bytes.fromhex(key["envelope_key"]),
            issuer=bytes.fromhex(key["issuer"]),
            until=moment(key["until"]) if "until" in key else None,
        )
        for key in VECTORS["epochs"]
    ]


def test_the_committed_vectors_are_what_the_script_makes() -> None:
    assert json.loads(json.dumps(make_vectors())) == VECTORS


@pytest.mark.parametrize("code", CODES, ids=CODE_NAMES)
def test_the_projects_reader_answers_as_written(code: dict[str, Any]) -> None:
    result = CodeReader(keys()).read(code["text"], moment(code["now"]))
    if isinstance(result, CodeRead):
        skew_s = None if result.skew_slots is None else result.skew_slots * result.key.slot_s
        assert (code["answer"], code["skew_s"]) == ("ok", skew_s)
        return
    assert (code["answer"], code["skew_s"]) == (result.reason, result.skew_s)


@pytest.mark.parametrize("code", CODES, ids=CODE_NAMES)
def test_the_independent_reader_answers_as_written(code: dict[str, Any]) -> None:
    answer = independent.read_code(code["text"], moment(code["now"]), epochs())
    assert (answer.reason, answer.skew_s) == (code["answer"], code["skew_s"])


def test_every_answer_about_a_code_is_among_the_vectors() -> None:
    about_codes = {reason for reason in Reason if reason.startswith("code_")}
    others = {Reason.STATIC_CODE_REFUSED, Reason.EPOCH_UNKNOWN, Reason.WRONG_EVENT}
    assert {code["answer"] for code in CODES} == about_codes | others | {"ok"}


@pytest.mark.parametrize("capsule", CAPSULES, ids=CAPSULE_NAMES)
def test_derivations_and_chains_follow_from_the_page_alone(capsule: dict[str, Any]) -> None:
    event, ticket = UUID(capsule["event"]), UUID(capsule["ticket"])
    master, generation = bytes.fromhex(VECTORS["master"]), capsule["generation"].to_bytes(2, "big")
    header, handle, seed = (
        bytes.fromhex(text) for text in (capsule["capsule"][:8], capsule["handle"], capsule["seed"])
    )
    context = independent.chain_context(event, header, handle)
    top = independent.hkdf(seed, b"ttchain1" + header, 16)
    assert handle == independent.hkdf(master, b"tthandle1" + ticket.bytes + generation, 16)
    assert seed == independent.hkdf(master, b"ttseed1" + ticket.bytes + generation, 32)
    assert hash_handle(handle).hex() == capsule["handle_hash"]
    assert (context.hex(), top.hex()) == (capsule["context"], capsule["x_last"])
    assert independent.chain_down(context, top, capsule["slots"], 1).hex() == capsule["x_1"]
    assert independent.chain_down(context, top, capsule["slots"], 0).hex() == capsule["anchor"]


@pytest.mark.parametrize("capsule", CAPSULES, ids=CAPSULE_NAMES)
def test_capsules_follow_from_the_page_alone(capsule: dict[str, Any]) -> None:
    issuer = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(VECTORS["issuer_private"]))
    made = bytes.fromhex(capsule["capsule"])
    fields = ("product", "not_before", "not_after", "zones")
    claims = bytes.fromhex(capsule["handle"]) + b"".join(capsule[name].to_bytes(2, "big") for name in fields)
    claims += bytes([capsule["generation"] & 0xFF, capsule["entries"], capsule["policy"], 0])
    bound = b"ttcap1" + UUID(capsule["event"]).bytes + made[:4]
    stated = claims + bytes.fromhex(capsule["anchor"])
    sealed = AESSIV(bytes.fromhex(VECTORS["envelope_key"])).encrypt(stated + issuer.sign(bound + stated), [bound])
    assert made[0] == capsule["version"] << 4 | capsule["profile"]
    assert made[2:] == capsule["epoch"].to_bytes(2, "big") + sealed


def test_the_independent_reader_imports_nothing_of_the_project() -> None:
    tree = ast.parse(inspect.getsource(independent))
    modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    roots = {module.split(".")[0] for module in modules}
    assert roots <= {"__future__", "hashlib", "hmac", "collections", "datetime", "typing", "uuid", "cryptography"}


def test_the_page_names_every_demand() -> None:
    assert [(flag.name, flag.value) for flag in CodePolicy] == [
        ("STATIC_ALLOWED", 1),
        ("ID_CHECK", 2),
        ("ONLINE_ONLY", 4),
    ]
