"""An organiser's MPL Core collection, with the plugins that let the service move, freeze and burn what is in it."""

from __future__ import annotations

from enum import IntEnum

from msgspec import Struct
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from server.chain import borsh
from server.chain.accounts_of import pays, reads
from server.chain.programs import MPL_CORE, SYSTEM

_CREATE_COLLECTION_V2 = 21


class Plugin(IntEnum):
    """The plugins used, by their index in MPL Core."""

    UPDATE_DELEGATE = 4
    PERMANENT_FREEZE = 5
    PERMANENT_TRANSFER = 7
    PERMANENT_BURN = 8
    BUBBLEGUM = 15


_BODY = {
    Plugin.UPDATE_DELEGATE: borsh.u32(0),  # nobody besides its authority
    Plugin.PERMANENT_FREEZE: borsh.boolean(False),  # the collection as a whole is not frozen
}


class PluginWish(Struct, frozen=True, kw_only=True):
    """A plugin, and who may use it; None: whoever may change the collection."""

    plugin: Plugin
    authority: Pubkey | None = None

    def write(self) -> bytes:
        """Return index, body and authority."""
        address = 3
        who = None if self.authority is None else borsh.u8(address) + bytes(self.authority)
        return borsh.u8(self.plugin) + _BODY.get(self.plugin, b"") + borsh.option(who, bytes)


class Collection(Struct, frozen=True, kw_only=True):
    """A collection to be made. Permanent plugins can be given only now."""

    address: Pubkey
    name: str
    uri: str
    plugins: tuple[PluginWish, ...]


def create_collection(collection: Collection, payer: Pubkey, update_authority: Pubkey) -> Instruction:
    """Make a collection; its own key signs, once."""
    nothing_external = borsh.u32(0)
    data = (
        borsh.u8(_CREATE_COLLECTION_V2)
        + borsh.string(collection.name)
        + borsh.string(collection.uri)
        + borsh.option(collection.plugins, lambda all_of_them: borsh.vector(all_of_them, PluginWish.write))
        + borsh.option(nothing_external, bytes)
    )
    accounts = [pays(collection.address), reads(update_authority), pays(payer), reads(SYSTEM)]
    return Instruction(MPL_CORE, data, accounts)
