"""What may be wrong with a call about assets."""

from __future__ import annotations

from shared.problems import InputUnusable, NotFound


class AssetUnknown(NotFound):
    """No asset of ours is at this address."""

    code = "nft_unknown"


class NoChain(InputUnusable):
    """This needs a chain, and the settings name none."""

    code = "no_chain"
