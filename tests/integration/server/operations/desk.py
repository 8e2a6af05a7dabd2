"""What a browser does with forms and cookies, without the browser."""

from __future__ import annotations

import re

import aiohttp
from msgspec import Struct

from tests.browser.evening import PASSWORD, Evening


class Shown(Struct, frozen=True):
    """An answer: its status, where it leads, what it says."""

    status: int
    place: str
    text: str
    headers: dict[str, str]


class Desk:
    """One browser: it keeps cookies and fills forms in."""

    def __init__(self, evening: Evening, session: aiohttp.ClientSession) -> None:
        self.evening = evening
        self.session = session
        self.cookies: dict[str, str] = {}
        self.set_cookies: list[str] = []

    async def get(self, path: str, **headers: str) -> Shown:
        """Load a page."""
        return await self._ask("GET", path, None, headers)

    async def post(self, path: str, form: dict[str, str], **headers: str) -> Shown:
        """Send a form."""
        return await self._ask("POST", path, form, headers)

    async def token(self) -> str:
        """Return what this session's forms carry."""
        return _find(await self.get("/ops/sessions"), "form_token")

    async def act(self, path: str, **form: str) -> Shown:
        """Send a form of this session."""
        return await self.post(path, form | {"form_token": await self.token()})

    async def sign_in(self, login: str = "sam", password: str = PASSWORD, wanted: str = "") -> Shown:
        """Fill the sign-in form in."""
        page = await self.get(f"/ops/sign-in?next={wanted}")
        entry = _find(page, "entry")
        place = _find(page, "next")
        return await self.post("/ops/sign-in", {"entry": entry, "login": login, "password": password, "next": place})

    async def _ask(self, method: str, path: str, form: dict[str, str] | None, headers: dict[str, str]) -> Shown:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        async with self.session.request(method, path, data=form, headers=sent, allow_redirects=False) as answer:
            for line in answer.headers.getall("Set-Cookie", []):
                self.set_cookies.append(line)
                name, _, value = line.partition(";")[0].partition("=")
                self.cookies[name] = value.strip('"')
            text = await answer.text()
            told = {name: answer.headers[name] for name in answer.headers}
            return Shown(answer.status, answer.headers.get("Location", ""), text, told)


def _find(page: Shown, field: str) -> str:
    found = re.search(rf'name="{field}" value="([^"]*)"', page.text)
    assert found is not None, page
    return found[1]
