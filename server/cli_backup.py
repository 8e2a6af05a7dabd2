"""`tickettoken backup` and `tickettoken restore`: the whole database into one file, and out of it into an empty one."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from server.db.backup import Stock, check_target, look_at_source, prepare_target
from server.embedded.dumping import dump, find_tools, load
from server.settings import AdminSettings
from shared.problems import Conflict, InputUnusable
from shared.settings import load_settings

_BLOCK = 1024 * 1024


class FileExists(Conflict):
    """A backup is never written over another."""

    code = "file_exists"


class BackupReport(Struct, frozen=True, kw_only=True):
    """A backup and what is in it; ``sha256`` is the file's."""

    file: str
    bytes: int
    sha256: str
    schema_version: int
    tenants: int
    tools: str


def backup(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Write a backup and say what is in it.

    Raises:
        FileExists: there is a file of that name.
        PostgresMissing, DumpFailed: PostgreSQL's programs are not there, or fail.
        Denied, Unavailable: the database cannot be read whole, or not at all.
    """
    dsn, file = load_settings(AdminSettings, environ).admin_database_url, Path(arguments.file)
    if file.exists():
        raise FileExists(f"{file} exists: a backup is never written over another")
    stock = asyncio.run(look_at_source(dsn.value))
    tools = find_tools(stock.server_major, arguments.pg_bin)
    dump(tools, dsn, file)
    _tell(_report(file, stock, tools.version), as_json=arguments.json)
    return 0


def restore(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Put a backup into an empty database and say what is in it now.

    Raises:
        InputUnusable: there is no such file.
        NotFound, TargetNotEmpty: the database is not ready for it.
        PostgresMissing, DumpFailed: PostgreSQL's programs are not there, or fail.
    """
    dsn, file = load_settings(AdminSettings, environ).admin_database_url, Path(arguments.file)
    if not file.is_file():
        raise InputUnusable(f"{file} is no file: name what `tickettoken backup` wrote")
    tools = find_tools(asyncio.run(prepare_target(dsn.value)), arguments.pg_bin)
    load(tools, dsn, file)
    stock = asyncio.run(check_target(dsn.value))
    _tell(_report(file, stock, tools.version), as_json=arguments.json)
    return 0


def _report(file: Path, stock: Stock, tools: str) -> BackupReport:
    digest = hashlib.sha256()
    with file.open("rb") as content:
        while block := content.read(_BLOCK):
            digest.update(block)
    return BackupReport(
        file=str(file),
        bytes=file.stat().st_size,
        sha256=digest.hexdigest(),
        schema_version=stock.schema_version,
        tenants=stock.tenants,
        tools=tools,
    )


def _tell(report: BackupReport, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
        return
    sys.stdout.write(
        f"{report.file}: {report.bytes} bytes, schema version {report.schema_version}, {report.tenants} tenants, "
        f"PostgreSQL {report.tools}\nsha256 {report.sha256}\n"
    )
