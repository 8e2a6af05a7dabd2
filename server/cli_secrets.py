"""`tickettoken secrets`: every secret of an installation, made once and written where a compose file or a unit finds them."""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from string import Template

from shared.ids import RandomBytes
from shared.problems import Conflict, InputUnusable

# The directory keeps everybody else out; inside a container another user has to read the files.
_DIRECTORY_MODE = 0o700
_FILE_MODE = 0o444


class SecretsExist(Conflict):
    """Secrets that may be in use are never written over."""

    code = "secrets_exist"


def make(arguments: argparse.Namespace, _environ: Mapping[str, str]) -> int:
    """Write the secrets into a new directory and say which there are; no value is printed.

    Raises:
        SecretsExist: the directory has files in it.
        InputUnusable: the directory cannot be written.
    """
    directory: Path = arguments.directory
    files = compose_files(os.urandom)
    try:
        directory.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise SecretsExist(f"{directory} is not empty: secrets in use are not replaced; choose another directory")
        directory.chmod(_DIRECTORY_MODE)
        for name, text in files.items():
            _write(directory / name, text)
    except OSError as exc:
        raise InputUnusable(f"{directory} cannot be written ({exc.strerror}): choose another directory") from exc
    names = sorted(files)
    if arguments.json:
        sys.stdout.write(json.dumps({"directory": str(directory), "files": names}) + "\n")
    else:
        sys.stdout.write("".join(f"{directory / name}\n" for name in names))
    return 0


def compose_files(random_bytes: RandomBytes) -> dict[str, str]:
    """Return file names and contents: passwords of 192 bits, each in every place that needs it."""
    owner, app, worker, admin, broker = (random_bytes(24).hex() for _ in range(5))
    return {
        "postgres_password": admin,
        "postgres_init.sql": _write_init(owner=owner, app=app, worker=worker),
        "owner_database_url": f"postgresql://tt_owner:{owner}@postgres:5432/tickettoken",
        "database_url": f"postgresql://tt_app:{app}@postgres:5432/tickettoken",
        "worker_database_url": f"postgresql://tt_worker:{worker}@postgres:5432/tickettoken",
        "rabbitmq_url": f"amqp://tickettoken:{broker}@rabbitmq:5672/",
        "rabbitmq_management_url": f"http://tickettoken:{broker}@rabbitmq:15672/",
        "rabbitmq_definitions.json": _describe_broker(broker, random_bytes(4)),
        "jwt_secret": random_bytes(48).hex(),
        "metrics_token": random_bytes(24).hex(),
        "qr_encryption_key": f"k1={base64.b64encode(random_bytes(32)).decode()}",
    }


def _write_init(**passwords: str) -> str:
    template = Path(__file__).with_name("postgres_init.sql").read_text(encoding="utf-8")
    return Template(template).substitute(passwords)


def _describe_broker(password: str, salt: bytes) -> str:
    """Return RabbitMQ's definitions of one account. Its documentation hashes a password so: SHA-256, after a salt of 4 bytes."""
    digest = base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()
    account = {
        "name": "tickettoken",
        "password_hash": digest,
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": ["administrator"],
    }
    rights = {"user": "tickettoken", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}
    return json.dumps({"users": [account], "vhosts": [{"name": "/"}], "permissions": [rights]}, indent=2) + "\n"


def _write(path: Path, text: str) -> None:
    # Complete and with its mode before it has its name: a half-written secret would be believed.
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    partial.write_text(text, encoding="utf-8")
    partial.chmod(_FILE_MODE)
    partial.rename(path)
