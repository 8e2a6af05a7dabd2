"""What `tickettoken nft` says to people."""

from __future__ import annotations

from server.chain.estimate import Estimate
from server.chain.reconciling import Reconciliation
from server.services.rows_mint import DeadAsset, TreeRow

SOL = 1_000_000_000


def describe_estimate(found: Estimate) -> list[str]:
    """Return an estimate line by line."""
    parts = {
        "tree's rent": found.tree,
        "collection, nonces, table": found.setup,
        "signatures": found.signatures,
        "protocol's fee": found.protocol,
        "priority fee": found.priority,
    }
    price = f"{found.total / SOL:.4f} SOL, {found.per_ticket:.0f} lamports each"
    return [
        f"{found.tickets} tickets with Bubblegum V{found.version}: {price}",
        f"  tree of depth {found.depth}, buffer {found.buffer}, canopy {found.canopy}: room for {found.capacity}",
        f"  {found.transactions} transactions with up to {found.mints_per_transaction} mints",
        *(f"  {name:<25} {lamports:>14,} lamports" for name, lamports in parts.items()),
        f"  later, for each handed on {found.later_transfer:>12,} lamports; given back {found.later_burn:,}",
    ]


def describe_tree(one: TreeRow) -> str:
    """Return a tree in one line."""
    full = one.assigned * 100 >> one.depth
    room = f"{one.assigned} of {1 << one.depth} ({full} %)"
    return f"{one.state:<7} {one.address}  V{one.version}  {room}  {one.problem or ''}".rstrip()


def describe_dead(one: DeadAsset) -> str:
    """Return what was given up in one line."""
    return f"{one.ticket}  {one.action}  {one.problem or 'unknown'}  after {one.tries} tries"


def describe_report(found: Reconciliation) -> list[str]:
    """Return a comparison line by line, what needs a person last."""
    trees = [
        f"{one.finding:<10} {one.tree}  {one.leaves_known} leaves, {one.minted_on_chain} minted on chain, write {one.seq}"
        for one in found.trees
    ]
    states = ", ".join(f"{count} {state}" for state, count in found.states.items()) or "no assets"
    opinion = found.opinion
    second = f"an indexer was asked about {opinion.asked}, knows {opinion.asked - opinion.missing}"
    faults = [
        *(
            f"{'twin' if one.twin else 'orphan'}: {one.asset} at leaf {one.index} of {one.tree}"
            for one in found.orphans
        ),
        *(f"{one.asset}: {one.field} is {one.ours} to us, {one.theirs} to the indexer" for one in opinion.differences),
        *([f"{found.leafless} assets are said to be on chain and are in no tree"] if found.leafless else []),
    ]
    verdict = "everything agrees" if found.is_sound else "something needs a person"
    moved = f"{found.elsewhere} were moved by their holders"
    return [*trees, states, moved, second if opinion.asked else "no indexer is offered", *faults, verdict]
