"""The operations page put together: people's pages stand beside the table of routes, which is for programs."""

from __future__ import annotations

from aiohttp import web

from server.api.address import tell_address
from server.api.event_stream import stream_figures
from server.api.problems import find_status
from server.auth.passwords import ArgonPasswords
from server.parts import Parts
from server.services.sign_in import SigningIn
from server.web.ops.means import Means
from server.web.ops.site import OpsSite


def mount_ops(app: web.Application, parts: Parts) -> None:
    """Add everything below /ops to an application."""
    make_site(parts).mount(app)


def make_site(parts: Parts) -> OpsSite:
    """Return the site of these parts."""
    means = Means(
        context=parts.context,
        signing_in=SigningIn(context=parts.context, directory=parts.database, passwords=ArgonPasswords()),
        live=parts.live,
        status_of=find_status,
        stream=stream_figures,
        address_of=tell_address(parts.access.proxies),
        public_url=parts.public_url,
    )
    return OpsSite(means, parts.ops_files)
