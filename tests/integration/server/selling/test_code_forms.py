"""The code over HTTP in the form the caller asks for: JSON, SVG or PNG, live or for paper, or its head alone."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import cv2
import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from gate.scanner.decoder import ZxingDecoder
from server.services.publish import publish_event
from shared.codes.capsule import CodePolicy
from shared.codes.reader import CodeRead
from shared.ids import EventId
from tests.integration.server.selling.client import Served
from tests.integration.server.selling.stage import publication_for


@pytest.fixture
async def printing(served: Served) -> Served:
    """Give the shop with another event, whose tickets may be printed."""
    publication = publication_for(served.shop.tenant, EventId(uuid4()))
    types = tuple(replace(one, code_policy=int(CodePolicy.STATIC_ALLOWED)) for one in publication.types)
    policy = replace(publication.policy, static_codes=True)
    assert await publish_event(served.shop.context, replace(publication, policy=policy, types=types))
    return replace(served, shop=replace(served.shop, event=publication.event, standing=types[0].id))


def read_picture(png: bytes) -> list[str]:
    """Return the codes a gate's decoder finds in a PNG."""
    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return ZxingDecoder().decode(picture.astype(np.uint8))


async def test_a_code_comes_in_the_form_the_caller_prefers_and_is_never_kept(served: Served) -> None:
    buyer = served.shop.buyer()
    (ticket,) = await served.buy(buyer)
    path, told = f"/api/v1/tickets/{ticket}/qr", {}
    for accept in ("application/json", "image/svg+xml;q=0.9, image/png;q=0.2", "application/json;q=0, image/png"):
        reply = await served.call("GET", path, buyer, Accept=accept)
        assert (reply.status, reply.headers["Cache-Control"], reply.headers["Vary"]) == (200, "no-store", "Accept")
        told[reply.headers["Content-Type"].partition(";")[0]] = reply
    assert list(told) == ["application/json", "image/svg+xml", "image/png"]
    assert told["image/svg+xml"].body.startswith(b"<?xml")
    assert read_picture(told["image/png"].body) == [told["application/json"].json["qrData"]]
    assert {told[form].headers["X-Expires-At"] for form in ("image/svg+xml", "image/png")} == {
        served.shop.clock.now().replace(second=15).isoformat()
    }


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "image/png;q=high", "*/*;q=0"])
async def test_a_form_there_is_not_is_not_acceptable(served: Served, accept: str) -> None:
    buyer = served.shop.buyer()
    (ticket,) = await served.buy(buyer)
    reply = await served.call("GET", f"/api/v1/tickets/{ticket}/qr", buyer, Accept=accept)
    assert (reply.status, reply.code) == (406, "not_acceptable")


async def test_the_code_for_paper_comes_as_a_picture_too(printing: Served) -> None:
    buyer = printing.shop.buyer()
    (ticket,) = await printing.buy(buyer)
    path = f"/api/v1/tickets/{ticket}/qr?profile=static"
    text = (await printing.call("GET", path, buyer)).json["qrData"]
    picture = await printing.call("GET", path, buyer, Accept="image/png")
    drawing = await printing.call("GET", path, buyer, Accept="image/svg+xml")
    assert (picture.headers["Content-Type"], picture.headers["Cache-Control"]) == ("image/png", "no-store")
    assert drawing.headers["Content-Type"] == "image/svg+xml"
    (found,) = read_picture(picture.body)
    assert found == text
    read = (await printing.shop.reader()).read(found, printing.shop.clock.now())
    assert isinstance(read, CodeRead)
    assert read.proof is None


async def test_the_head_alone_has_no_body_and_asks_for_the_same_rights(served: Served) -> None:
    buyer, stranger = served.shop.buyer(), served.shop.buyer()
    (ticket,) = await served.buy(buyer)
    for path in ("qr", "wallet"):
        address = f"/api/v1/tickets/{ticket}/{path}"
        head, whole = await served.call("HEAD", address, buyer), await served.call("GET", address, buyer)
        assert (head.status, head.body, head.headers["Cache-Control"]) == (200, b"", "no-store")
        assert head.headers["Content-Length"] == str(len(whole.body))
        assert (await served.call("HEAD", address, stranger)).status == 404
        assert (await served.call("HEAD", address)).status == 401
    made = await served.call("POST", f"/api/v1/tickets/{ticket}/link", buyer)
    page = await served.call("HEAD", str(made.json["url"]).removeprefix(served.running.base_url))
    assert (page.status, page.body) == (200, b"")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


async def test_nothing_of_a_code_gets_into_the_log(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    buyer = served.shop.buyer()
    (ticket,) = await served.buy(buyer)
    served.shop.clock.advance(timedelta(hours=4))
    shown = await served.call("GET", f"/api/v1/tickets/{ticket}/qr", buyer)
    wallet = await served.call("GET", f"/api/v1/tickets/{ticket}/wallet", buyer)
    made = await served.call("POST", f"/api/v1/tickets/{ticket}/link", buyer)
    link = str(made.json["url"]).rpartition("/")[2]
    assert (await served.call("GET", f"/t/{link}")).status == 200
    assert (await served.call("GET", f"/t/{link}/wallet")).status == 200
    assert (await served.call("GET", f"/t/{link[:-1]}/wallet")).status == 404
    told = "".join(capsys.readouterr())
    assert told.count("http.request") >= 6
    capsules = msgspec.convert(wallet.json["capsules"], list[dict[str, object]])
    secrets = [shown.json["qrData"], wallet.json["seed"], link, *(one["capsule"] for one in capsules)]
    assert len(secrets) >= 4
    for secret in map(str, secrets):
        assert secret[:24] not in told
        assert secret[-24:] not in told
