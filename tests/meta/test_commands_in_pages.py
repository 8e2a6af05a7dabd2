"""What pages tell people to type and to call exists: by the programs' own parsers, and by the API's description."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from gate.cli import build_parser as gate_parser
from server.cli import build_parser as server_parser
from shared.problems import InputUnusable
from tests.meta.sources import ROOT

PAGES = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
PARSERS = {"tickettoken": server_parser, "tickettoken-gate": gate_parser}
SOME_ID = "018f3c2e-7b5a-7c31-9d40-2f6e8a1b4c55"

# Words that stand for an id; the others (CODE, DIR, NAME, FILE, ...) are taken by the parsers as the texts they are.
IDS = {"ID", "EVENT", "TICKET"}

AREAS = {"/api/v1", "/internal", "/gate/v1"}
"""Named by themselves these mean everything below them."""

_FENCED = re.compile(r"^ *```[a-z]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"^ {4}(.*)$", re.MULTILINE)
_INLINE = re.compile(r"`(tickettoken(?:-gate)? [^`\n]+)`")
_ASSIGNMENT = re.compile(r"[A-Z_]+=.*")
_ADDRESS = re.compile(
    r"(?<![\w/.-])(?:https?://[\w.:]+|\$[A-Z]+)?((?:/api/v1|/internal|/gate/v1|/health)(?:/[\w{}$-]+)*)(?![\w/])"
)
_ROUTE = re.compile(r"^  (/\S*):$", re.MULTILINE)
_TEST_FILE = re.compile(r"`(tests/[\w/]+\.(?:py|json))`")


def commands(text: str) -> Iterator[list[str]]:
    """Yield every command line in a page's blocks that starts one of the two programs, its first word the program."""
    fenced = "\n".join(_FENCED.findall(text))
    for line in [*fenced.replace("\\\n", " ").splitlines(), *_INDENTED.findall(_FENCED.sub("", text))]:
        if "tickettoken" in line or "docker compose" in line:
            yield from _commands_of(line)


def mentions(text: str) -> Iterator[list[str]]:
    """Yield every command a page names within a sentence."""
    for line in _INLINE.findall(_FENCED.sub("", text)):
        yield from _commands_of(line)


def _commands_of(line: str) -> Iterator[list[str]]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";|&")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if set(word) <= set(";|&"):
            command = _without_lead(words)
            if command and command[0] in PARSERS:
                yield command
            words = []
        else:
            words.append(word)


def _without_lead(words: list[str]) -> list[str]:
    """Return a command from its program on: without settings before it, `./run`, a path, or the container it runs in."""
    while words and (_ASSIGNMENT.fullmatch(words[0]) or words[0] == "./run"):
        words = words[1:]
    if words[:2] == ["docker", "compose"] and "--rm" in words:
        service, *rest = words[words.index("--rm") + 1 :]
        return ["tickettoken-gate" if service == "gate" else "tickettoken", *rest]
    return [Path(words[0]).name, *words[1:]] if words else []


def fault_of(command: list[str]) -> str | None:
    """Return what the program's parser has against a command line, None if nothing."""
    words = [SOME_ID if word in IDS or word.startswith("$") else word for word in command[1:]]
    try:
        PARSERS[command[0]]().parse_args(words)
    except InputUnusable as problem:
        return str(problem)
    except SystemExit as ended:
        return None if ended.code == 0 else "it ends"
    return None


def addresses(text: str) -> list[str]:
    """Return the server's addresses a page names, without host and query."""
    return _ADDRESS.findall(text)


def exists(address: str, routes: list[str]) -> bool:
    """Say whether an address is a route's, any one segment standing for a parameter."""
    if address in AREAS:
        return True
    asked = address.split("/")
    return any(_fits(asked, route.split("/")) for route in routes)


def _fits(asked: list[str], route: list[str]) -> bool:
    same = (there in {"{}", here} for here, there in zip(asked, route, strict=False))
    return len(asked) == len(route) and all(same)


def known_routes() -> list[str]:
    """Return the paths of the API's description, parameters as `{}`; a test of its own compares it with the server's."""
    found = _ROUTE.findall((ROOT / "docs" / "openapi.yaml").read_text(encoding="utf-8"))
    return [re.sub(r"\{\w+\}", "{}", path) for path in found]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_in_a_page_is_understood_by_its_program(page: Path) -> None:
    faults = {" ".join(command): fault_of(command) for command in commands(page.read_text(encoding="utf-8"))}
    assert {command: fault for command, fault in faults.items() if fault} == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_in_a_sentence_exists(page: Path) -> None:
    faults = {" ".join(command): fault_of(command) for command in mentions(page.read_text(encoding="utf-8"))}
    # In a sentence a command may stand for itself, without what it needs to run.
    assert {command: fault for command, fault in faults.items() if fault and "are required" not in fault} == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_address_in_a_page_is_one_of_the_servers(page: Path) -> None:
    routes = known_routes()
    assert [one for one in addresses(page.read_text(encoding="utf-8")) if not exists(one, routes)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_test_a_page_points_to_is_there(page: Path) -> None:
    named = _TEST_FILE.findall(page.read_text(encoding="utf-8"))
    assert [one for one in named if not (ROOT / one).is_file()] == []


def test_commands_are_found_however_they_are_written() -> None:
    page = (
        "```sh\n./run tickettoken doctor  # is it sound?\nA=b tickettoken keys \\\n  status\nls tickettoken\n"
        "docker compose run --rm gate status\ntrue && .venv/bin/tickettoken-gate doctor\n```\n"
        "\n    tickettoken keys rotate --event ID\n\nSee `tickettoken work --port 1`.\n"
    )
    assert [" ".join(command) for command in commands(page)] == [
        "tickettoken doctor",
        "tickettoken keys status",
        "tickettoken-gate status",
        "tickettoken-gate doctor",
        "tickettoken keys rotate --event ID",
    ]
    assert list(mentions(page)) == [["tickettoken", "work", "--port", "1"]]


@pytest.mark.parametrize(
    "line",
    ["tickettoken heal", "tickettoken doctor --deep", "tickettoken keys rotate --event NOW", "tickettoken-gate export"],
)
def test_a_command_that_does_not_exist_is_noticed(line: str) -> None:
    [command] = commands(f"```sh\n{line}\n```")
    assert fault_of(command)


def test_an_address_that_does_not_exist_is_noticed() -> None:
    page = "`GET http://127.0.0.1:3004/api/v1/events/$E/stats?x=1`, /health/ready, `/internal/paymentz`, `/api/v1/events/ID/no`."
    unknown = [one for one in addresses(page) if not exists(one, known_routes())]
    assert len(addresses(page)) == 4
    assert unknown == ["/internal/paymentz", "/api/v1/events/ID/no"]
