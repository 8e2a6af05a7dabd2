"""Bundles, holders' data and wrapped keys: a second implementation written from the page opens them, and theirs open here."""

from __future__ import annotations

import ast
import inspect
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import msgpack

from server.services.rows import EpochRow, KeyKind
from server.services.wrapping import Wrapping
from shared.codes.bundle import KeyBundle, SealedBundle, open_bundle, seal_bundle
from shared.codes.keys import Holder, KeyRing, derive_handle, seal_holder
from shared.ids import GateId, TenantId
from tests.unit.shared.samples import EVENT, MASTER, NORTH, NOW, TICKET, epoch_key, policy, secret
from tests.vectors import independent_keys as page

CONFIG = Ed25519PrivateKey.from_private_bytes(secret("config"))
SEAL = X25519PrivateKey.from_private_bytes(secret("seal"))
EPHEMERAL = X25519PrivateKey.from_private_bytes(secret("ephemeral"))
BUNDLE = KeyBundle(event=EVENT, event_name="Löwenhof", version=7, made=NOW, epochs=[epoch_key()], policy=policy())
# RFC 9180, A.2.1 (X25519, HKDF-SHA256, ChaCha20-Poly1305, base mode): what its first message is sealed with.
RFC_EPHEMERAL = "f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600"
RFC_RECIPIENT = "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb"
RFC_INFO = "4f6465206f6e2061204772656369616e2055726e"
RFC_KEY = "ad2744de8e17f4ebba575b3f5f5a8fa1f69c2a07f6e7500bc60ca6e3e3ec1c91"
RFC_NONCE = "5c4d98150661b848853b547f"


def test_the_second_implementation_does_what_the_standards_own_example_says() -> None:
    sender = X25519PrivateKey.from_private_bytes(bytes.fromhex(RFC_EPHEMERAL))
    recipient = X25519PrivateKey.from_private_bytes(bytes.fromhex(RFC_RECIPIENT))
    shared = sender.exchange(recipient.public_key())
    encapsulated, own = sender.public_key().public_bytes_raw(), recipient.public_key().public_bytes_raw()
    key, nonce = page.derive_aead(shared, encapsulated, own, bytes.fromhex(RFC_INFO))
    assert (key.hex(), nonce.hex()) == (RFC_KEY, RFC_NONCE)


def test_a_bundle_the_project_sealed_opens_by_the_page_alone() -> None:
    carried = seal_bundle(BUNDLE, NORTH, SEAL.public_key(), CONFIG)
    opened = page.open_bundle(
        page.Carried(carried.sealed, carried.signature), NORTH, SEAL, CONFIG.public_key().public_bytes_raw()
    )
    fields = msgpack.decode(opened)
    assert {"event", "event_name", "version", "made", "epochs", "policy"} == set(fields)
    (epoch,) = fields["epochs"]
    assert {"event", "epoch", "starts", "ends", "slot_s", "envelope_key", "issuer"} == set(epoch)
    assert (fields["event"], fields["version"], epoch["envelope_key"]) == (str(EVENT), 7, epoch_key().envelope_key)


def test_a_bundle_sealed_by_the_page_alone_opens_in_the_project() -> None:
    gate = GateId(UUID(int=9))
    made = page.seal_bundle(msgpack.encode(BUNDLE), gate, SEAL.public_key().public_bytes_raw(), CONFIG, EPHEMERAL)
    carried = SealedBundle(sealed=made.sealed, signature=made.signature)
    assert open_bundle(carried, gate, SEAL, CONFIG.public_key()) == BUNDLE


def test_holders_data_open_by_the_page_alone() -> None:
    handle = derive_handle(MASTER, TICKET, 1)
    sealed = seal_holder(handle, Holder(name="Zoë Müller", seat="F 12", product="Balcony"))
    assert msgpack.decode(page.open_holder(handle, sealed)) == ["Zoë Müller", "F 12", "Balcony"]


def test_keys_at_rest_open_by_the_page_alone() -> None:
    ring, tenant = {"k2": secret("kek 2"), "k1": secret("kek 1")}, TenantId(UUID(int=5))
    wrapping = Wrapping(KeyRing(ring), lambda size: secret("fresh")[:size])
    for kind in KeyKind:
        row = wrapping.make_key(tenant, kind, 3)
        label = page.label_of(b"ttkey1", kind.value.encode(), tenant.bytes, (3).to_bytes(4, "big"))
        assert page.unwrap(ring, label, row.wrapped) == secret("fresh")
    blank = EpochRow(
        event=EVENT,
        epoch=4,
        starts=NOW,
        ends=NOW,
        slot_s=15,
        envelope_wrapped=b"",
        issuer_wrapped=b"",
        issuer_public=b"",
    )
    epoch = wrapping.renew_epoch(tenant, blank)
    for part, wrapped in ((b"envelope", epoch.envelope_wrapped), (b"issuer", epoch.issuer_wrapped)):
        label = page.label_of(b"ttepoch1", part, tenant.bytes, EVENT.bytes, (4).to_bytes(2, "big"))
        assert page.unwrap(ring, label, wrapped) == secret("fresh")


def test_the_second_implementation_imports_nothing_of_the_project() -> None:
    tree = ast.parse(inspect.getsource(page))
    modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert {module.split(".")[0] for module in modules} <= {
        "__future__",
        "hashlib",
        "hmac",
        "typing",
        "uuid",
        "cryptography",
    }
