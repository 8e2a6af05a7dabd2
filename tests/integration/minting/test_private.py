"""What goes to the chain stays there for everybody to read: nothing of any person is in it, nor in what its addresses show."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import msgspec

from server.domain.access import User
from server.domain.nft import AssetState
from server.domain.nft_token import read_token
from server.services.nft_pages import draw_picture, read_metadata
from server.services.transition import Changes
from shared.ids import TicketId
from shared.tickets.lifecycle import State
from tests.integration.minting.mint import Mint
from tests.integration.minting.test_changes import give_back, step

EMAIL, NAME, OTHER_NAME, SEAT = "ada.lovelace@example.org", "Ada Lovelace", "Benjamin Britten", "Loge-Q17"


async def live_a_life(mint: Mint) -> tuple[list[User], list[TicketId]]:
    """Sell, name, hand on, lock, unlock, rename and give back tickets of people who have names."""
    ada, ben = mint.shop.buyer(EMAIL), mint.shop.buyer("ben@example.org")
    tickets = await mint.shop.buy(ada, 2)
    await step(mint, tickets[0], State.ACTIVE, Changes(holder_name=NAME, seat=SEAT), stays=True)
    await mint.reach(AssetState.FINALIZED, tickets)
    await step(mint, tickets[0], State.TRANSFERRED, Changes(owner=ben.user, holder_name=OTHER_NAME))
    async with mint.shop.parts.database.worker() as unit:
        await unit.mints.rename_assets(mint.shop.event, "Reopening")
    await mint.until(lambda: rests(mint, tickets))
    await step(mint, tickets[0], State.TRANSFERRED, Changes(locked="fraud"), stays=True)
    await mint.reach(AssetState.FROZEN, tickets[:1])
    await step(mint, tickets[0], State.TRANSFERRED, Changes(locked=None), stays=True)
    await mint.reach(AssetState.FINALIZED, tickets[:1])
    await give_back(mint, tickets[1])
    await mint.reach(AssetState.BURNED, tickets[1:])
    return [ada, ben], tickets


async def rests(mint: Mint, tickets: list[TicketId]) -> bool:
    """Tell whether all is done that was wished."""
    async with mint.shop.parts.database.worker() as unit:
        due = await unit.mints.due(mint.shop.clock.now(), 10)
    return not due and all(one.state is AssetState.FINALIZED for one in await mint.assets(tickets))


async def sent_bytes(mint: Mint) -> list[bytes]:
    """Return every transaction that was ever signed: nothing else is written on the chain."""
    async with mint.shop.parts.database.worker() as unit:
        rows = await unit.mints._connection.fetch(
            "SELECT kind, raw FROM chain_txs UNION ALL SELECT 'nonce', raw FROM chain_nonces"
        )
    assert {row["kind"] for row in rows} == {
        *("mint", "transfer", "update", "freeze", "thaw", "burn", "tree", "collection", "nonce"),
    }
    return [row["raw"] for row in rows]


async def shown_bytes(mint: Mint, tickets: list[TicketId]) -> list[bytes]:
    """Return what anybody may read at the assets' addresses."""
    shown = []
    for asset in await mint.assets(tickets):
        token = read_token((asset.uri or "").rpartition("/")[2])
        assert token is not None
        shown.append(msgspec.json.encode(await read_metadata(mint.shop.parts.database, token, "https://t.example/x")))
        shown.append((await draw_picture(mint.shop.parts.database, token)).encode())
    return shown


def forms(secret: str | UUID) -> Iterator[bytes]:
    """Return a secret in the forms in which it could stand among bytes."""
    if isinstance(secret, UUID):
        yield from (secret.bytes, secret.bytes_le, str(secret).encode(), secret.hex.encode())
        return
    for text in (secret, secret.lower(), secret.upper(), *(one for one in secret.split() if len(one) > 3)):
        yield text.encode()
        yield text.encode().hex().encode()


async def test_no_byte_on_the_chain_nor_at_its_addresses_is_of_a_person(mint: Mint) -> None:
    people, tickets = await live_a_life(mint)
    assert (await mint.shop.ticket(tickets[0])).seat == SEAT
    secrets: list[str | UUID] = [EMAIL, NAME, OTHER_NAME, SEAT, "example.org", *tickets]
    secrets += [one.user for one in people]
    everything = [*await sent_bytes(mint), *await shown_bytes(mint, tickets)]
    assert len(everything) > 10
    # Found where it is, so that looking for it proves something.
    assert any(b"Reopening" in one for one in everything)
    for secret in secrets:
        for form in forms(secret):
            assert not any(form in one for one in everything), secret
