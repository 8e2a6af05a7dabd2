"""What happens to a ticket happens to its asset: moved, frozen, burned; and what others do to it is seen."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from server.chain.composing import Change, compose_change
from server.chain.forest import Forest
from server.chain.signing import MemorySigner
from server.chain.transactions import seal_recent
from server.domain.nft import AssetState, NftMode
from server.services.rows import ActorRef
from server.services.rows_mint import TxKind
from server.services.transition import Changes, Move, move_ticket
from shared.clock import ManualClock
from shared.ids import TicketId, UserId
from shared.tickets.lifecycle import Actor, State
from tests.chain_node.bench import Bench
from tests.conftest import Databases
from tests.integration.minting.mint import Mint, mint_plan, open_mint


async def hand_over(mint: Mint, ticket: TicketId, to: UserId) -> None:
    """Make a ticket somebody else's."""
    await step(mint, ticket, State.TRANSFERRED, Changes(owner=to))


async def step(mint: Mint, ticket: TicketId, to: State, changes: Changes | None = None, *, stays: bool = False) -> None:
    """Take one step with a ticket; ``stays``: it is none, and only something of the ticket changes."""
    row = await mint.shop.ticket(ticket)
    move = Move(
        to=to,
        actor=ActorRef(kind=Actor.SYSTEM, id="test"),
        source="test",
        now=mint.shop.clock.now(),
        reason="admin_request",
        changes=changes or Changes(),
        stays=stays,
    )
    async with mint.shop.context.db.tenant(mint.shop.tenant) as tx:
        await move_ticket(tx, mint.shop.context.vault, row, move)


async def give_back(mint: Mint, ticket: TicketId) -> None:
    """Give a ticket back."""
    await step(mint, ticket, State.REFUNDED)


async def test_a_ticket_handed_on_takes_its_asset_along(mint: Mint) -> None:
    buyer, friend = mint.shop.buyer(), mint.shop.buyer()
    (ticket,) = await mint.shop.buy(buyer)
    await mint.reach(AssetState.FINALIZED, [ticket])
    await hand_over(mint, ticket, friend.user)

    async def is_moved() -> bool:
        (asset,) = await mint.assets([ticket])
        return asset.state is AssetState.FINALIZED and asset.owner == str(mint.wallet(friend.user))

    await mint.until(is_moved)
    assert mint.minted() == 1
    assert await mint.agrees()


async def test_a_ticket_given_back_is_frozen_at_once_and_burned_later(
    database: Databases, clock: ManualClock, bench: Bench
) -> None:
    plan = replace(mint_plan(bench), burn_after=timedelta(hours=1))
    async with open_mint(database, clock, bench, plan=plan) as mint:
        kept, ticket = await mint.shop.buy(mint.shop.buyer(), 2)
        await mint.reach(AssetState.FINALIZED, [kept, ticket])
        await give_back(mint, ticket)
        await mint.reach(AssetState.FROZEN, [ticket])
        clock.advance(timedelta(hours=1))
        await mint.reach(AssetState.BURNED, [ticket])
        assert [one.state for one in await mint.assets([kept])] == [AssetState.FINALIZED]
        assert await mint.agrees()


async def test_a_ticket_given_back_before_its_mint_never_gets_an_asset(mint: Mint) -> None:
    given, kept = await mint.shop.buy(mint.shop.buyer(), 2)
    await give_back(mint, given)
    await mint.reach(AssetState.FINALIZED, [kept])
    assert mint.minted() == 1


async def test_a_holder_who_moves_the_asset_is_seen_and_left_in_peace(mint: Mint) -> None:
    buyer, friend = mint.shop.buyer(), mint.shop.buyer()
    (ticket,) = await mint.shop.buy(buyer)
    await mint.reach(AssetState.FINALIZED, [ticket])
    elsewhere = Keypair().pubkey()
    await do_it_oneself(mint, buyer.user, TxKind.TRANSFER, elsewhere)
    mint.restart()

    async def is_seen() -> bool:
        (asset,) = await mint.assets([ticket])
        return asset.elsewhere

    await mint.until(is_seen)
    await hand_over(mint, ticket, friend.user)
    for _ in range(3):
        await mint.round()
    (asset,) = await mint.assets([ticket])
    assert (asset.owner, asset.state) == (str(elsewhere), AssetState.FINALIZED)
    assert (await mint.shop.ticket(ticket)).owner == friend.user


async def test_a_holder_who_burns_the_asset_keeps_the_ticket(mint: Mint) -> None:
    buyer = mint.shop.buyer()
    (ticket,) = await mint.shop.buy(buyer)
    await mint.reach(AssetState.FINALIZED, [ticket])
    await do_it_oneself(mint, buyer.user, TxKind.BURN)
    mint.restart()
    await mint.reach(AssetState.BURNED, [ticket])
    assert [one.problem for one in await mint.assets([ticket])] == ["burned_by_holder"]
    assert (await mint.shop.ticket(ticket)).state is State.ACTIVE
    await give_back(mint, ticket)
    for _ in range(3):
        await mint.round()
    assert (mint.minted(), mint.minting.state.in_flight) == (1, 0)
    assert await mint.agrees()


async def do_it_oneself(mint: Mint, user: UserId, kind: TxKind, to: Pubkey | None = None) -> None:
    """Do as a holder does who has the wallet's key: move or burn the first asset without asking anybody."""
    desk = mint.minting.desk
    (tree,) = await mint.trees()
    async with mint.shop.parts.database.worker() as unit:
        leaf = await unit.mints.leaf(tree.address, 0)
        (collection,) = await unit.mints.collections()
    assert leaf is not None
    wallet = MemorySigner(desk.plan.wallets.keypair(mint.shop.tenant, user))
    keys = replace(desk.plan.keys, operator=wallet)
    place = await Forest(desk.db).place(tree, leaf, collection.address)
    composed = compose_change(keys, Change(kind=kind, place=place, holder=wallet, new_owner=to), 1_000)
    sealed = await seal_recent(composed.draft, await desk.ledger.recent(), composed.signers)
    assert (await desk.nodes.send(sealed.raw)).taken > 0


async def test_a_ticket_that_waits_for_its_mint_is_active_after_it(
    database: Databases, clock: ManualClock, bench: Bench
) -> None:
    async with open_mint(database, clock, bench, NftMode.WAIT_FOR_MINT) as mint:
        (ticket,) = await mint.shop.buy(mint.shop.buyer())
        assert (await mint.shop.ticket(ticket)).state is State.SOLD
        await mint.reach(AssetState.FINALIZED, [ticket])

        async def is_active() -> bool:
            return (await mint.shop.ticket(ticket)).state is State.ACTIVE

        await mint.until(is_active)
        async with mint.shop.context.db.tenant(mint.shop.tenant) as tx:
            history = await tx.tickets.history(ticket)
        assert [one.to_state for one in history][-3:] == [State.SOLD, State.MINTED, State.ACTIVE]
