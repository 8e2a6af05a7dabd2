"""`tickettoken people` and `tickettoken tenants export`: forgetting somebody, and taking everything of one organiser along."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from msgspec import Struct

from server.cli_deeds import operator_of
from server.cli_office import Office, run
from server.services.people import Erased, forget_person
from shared.ids import TenantId, UserId
from shared.problems import Conflict, InputUnusable

_MANIFEST = "manifest.json"


class DirectoryNotEmpty(Conflict):
    """An export is never mixed with anything else."""

    code = "directory_not_empty"


class TableWritten(Struct, frozen=True, kw_only=True):
    """One file of an export."""

    file: str
    rows: int
    sha256: str


def forget(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Erase what one organiser knows of somebody.

    Raises:
        InputUnusable: neither account nor address is given.
    """
    if arguments.user is None and arguments.email is None:
        raise InputUnusable("name --user or --email, or both")
    return run(arguments, environ, _forget)


def export(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Write everything of one organiser into a new directory."""
    return run(arguments, environ, _export)


async def _forget(arguments: argparse.Namespace, office: Office) -> None:
    [tenant] = office.tenants
    user = None if arguments.user is None else UserId(arguments.user)
    erased = await forget_person(office.context, operator_of(tenant), user, arguments.email)
    office.tell(erased, _line(erased))


def _line(erased: Erased) -> str:
    rest = f"{erased.lines} rows of files, {erased.answers} kept answers"
    return f"erased: names on {erased.tickets} tickets, {erased.transfers} transfers, {rest}"


async def _export(arguments: argparse.Namespace, office: Office) -> None:
    [tenant], directory = office.tenants, Path(arguments.directory)
    _prepare(directory)
    written = [one async for one in _write_tables(office, tenant, directory)]
    manifest = {"tenant": str(tenant), "files": {one.file: {"rows": one.rows, "sha256": one.sha256} for one in written}}
    _open(directory / _MANIFEST, json.dumps(manifest, indent=2) + "\n")
    office.tell(written, *(f"{directory / one.file}  {one.rows} rows" for one in written))


async def _write_tables(office: Office, tenant: TenantId, directory: Path) -> AsyncIterator[TableWritten]:
    """Write all tables as they were at one moment, a row at a time."""
    async with office.still(tenant) as tx:
        for table in await tx.takeout.tables():
            file, digest, rows = f"{table}.jsonl", hashlib.sha256(), 0
            with os.fdopen(os.open(directory / file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
                async for row in tx.takeout.rows(table):
                    line = row.encode() + b"\n"
                    digest.update(line)
                    target.write(line)
                    rows += 1
            yield TableWritten(file=file, rows=rows, sha256=digest.hexdigest())


def _prepare(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise DirectoryNotEmpty(f"{directory} is not empty: name a new directory")
    except OSError as exc:
        raise InputUnusable(f"{directory} cannot be written ({exc.strerror}): choose another directory") from exc


def _open(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as target:
        target.write(text)
