"""Phones of the tour, filled as the server fills them, for an event made up for tests."""

from __future__ import annotations

import base64
from datetime import timedelta

from server.demo.phones import Phone, WalletCapsule
from shared.codes.keys import derive_seed
from tests.unit.shared.samples import MASTER, T0, TICKET, Order, issue

DAY = timedelta(hours=24)


def make_phone(epochs: int = 2) -> Phone:
    """Return a phone that fetched its wallet: one capsule for each day from T0 on."""
    issued = [issue(epoch=number, starts=T0 + DAY * number) for number in range(epochs)]
    return Phone(
        ticket=str(TICKET),
        seed=encode(derive_seed(MASTER, TICKET, Order().generation)),
        slot_s=Order().slot_s,
        capsules=tuple(
            WalletCapsule(
                epoch=one.order.epoch,
                starts=one.order.starts,
                ends=one.order.starts + DAY,
                capsule=encode(one.capsule),
                context=encode(one.context),
            )
            for one in issued
        ),
    )


def encode(data: bytes) -> str:
    """Return Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
