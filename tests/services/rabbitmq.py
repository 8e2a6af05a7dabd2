"""A private RabbitMQ node with its management API: own data, cookie, ports and epmd, loopback only, no daemon left behind.

It has the plugins and takes its definitions in the way of the compose file, so that every test with a broker tries those as well.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import yaml
from msgspec import Struct

from tests.services.certificates import write_server_files
from tests.services.messages import Request, Running, Served
from tests.services.processes import HOST, ServiceUnavailable, free_port, last_words, spawn, wait_for_answer
from tests.services.rabbitmq_programs import RabbitPrograms, find_rabbitmq

USER = "tests"

_START_TIMEOUT_S = 90.0
_STOP_TIMEOUT_S = 30.0
_GREETING = b"AMQP\x00\x00\x09\x01"
_WEB_GREETING = b"GET / HTTP/1.0\r\n\r\n"


class Ports(Struct, frozen=True, kw_only=True):
    """The loopback ports of one node."""

    amqp: int
    tls: int
    api: int
    tls_api: int
    epmd: int
    distribution: int
    metrics: int


@contextmanager
def run_rabbitmq(request: Request, directory: Path) -> Iterator[Served]:
    """Run one RabbitMQ node until the block ends; restarted, it keeps its data, ports and accounts.

    Raises:
        ServiceUnavailable: there is no RabbitMQ, or it does not start.
    """
    programs = find_rabbitmq()
    password = secrets.token_hex(12)
    ports = Ports(**{name: free_port() for name in Ports.__struct_fields__})
    authority = write_server_files(directory)
    _write_files(directory, ports, password, request.client_authority)
    env = _environment(programs, directory, ports)
    with _epmd(programs, directory, env):
        node = _Node(programs, directory, env, ports)

        def describe() -> Running:
            return Running(
                url=f"amqp://{USER}:{password}@{HOST}:{ports.amqp}/",
                api_url=f"http://{USER}:{password}@{HOST}:{ports.api}",
                source=f"{programs.source}, {_version(programs)}",
                pid=node.start(),
                port=ports.amqp,
                password=password,
                tls_port=ports.tls,
                tls_api_port=ports.tls_api,
                authority=authority,
            )

        def restart(number: signal.Signals) -> Running:
            node.stop(number)
            return describe()

        try:
            yield Served(running=describe(), restart=restart)
        finally:
            node.stop()


class _Node:
    """The node's processes: a shell and the emulator under it."""

    def __init__(self, programs: RabbitPrograms, directory: Path, env: dict[str, str], ports: Ports) -> None:
        self._programs = programs
        self._directory = directory
        self._env = env
        self._ports = ports
        self._shell: subprocess.Popen[bytes] | None = None

    def start(self) -> int:
        """Start it and return its emulator's process id once it answers."""
        shell = self._shell = spawn([str(self._programs.server)], self._directory, self._env)
        if not (
            wait_for_answer(shell, self._ports.amqp, _GREETING, _START_TIMEOUT_S)
            and wait_for_answer(shell, self._ports.api, _WEB_GREETING, _START_TIMEOUT_S)
        ):
            raise ServiceUnavailable(f"RabbitMQ did not start: {last_words(self._directory)}")
        return _emulator(self._directory) or shell.pid

    def stop(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End it at once, as a power cut would, or with another signal in order."""
        if self._shell is not None:
            _stop(self._shell, self._directory, number)


@contextmanager
def _epmd(programs: RabbitPrograms, directory: Path, env: dict[str, str]) -> Iterator[None]:
    # Without one of our own in the foreground the node would start a daemon that outlives it.
    program = shutil.which("epmd", path=programs.path) or shutil.which("epmd", path=_erlang_bin(programs))
    if program is None:
        raise ServiceUnavailable(f"{programs.server} has no epmd beside it: reinstall rabbitmq-server")
    epmd = spawn([program, "-address", HOST, "-port", env["ERL_EPMD_PORT"]], directory, env)
    try:
        yield
    finally:
        epmd.kill()
        epmd.wait()


def _erlang_bin(programs: RabbitPrograms) -> str:
    root = programs.server.parents[2] / "erlang"
    return ":".join(str(place) for place in root.glob("erts-*/bin"))


def _stop(node: subprocess.Popen[bytes], directory: Path, number: signal.Signals) -> None:
    # The emulator is ended, not its shell, which then ends by itself; the other way round the emulator would stay.
    emulator = _emulator(directory)
    if emulator is not None and node.poll() is None:
        os.kill(emulator, number)
    try:
        node.wait(_STOP_TIMEOUT_S if emulator is not None else 0)
    except subprocess.TimeoutExpired:
        node.kill()
        node.wait()


def _emulator(directory: Path) -> int | None:
    try:
        return int((directory / "pid").read_text())
    except (OSError, ValueError):
        return None


def _version(programs: RabbitPrograms) -> str:
    found = [place.name for place in programs.server.parents[1].glob("lib/rabbitmq_server-*")]
    return found[0].removeprefix("rabbitmq_server-") if found else "unknown version"


def _write_files(directory: Path, ports: Ports, password: str, client_authority: str) -> None:
    # https://www.rabbitmq.com/docs/passwords: four bytes of salt, then SHA-256 over salt and password.
    salt = os.urandom(4)
    digest = base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    account = {"name": USER, "password_hash": digest, "tags": ["administrator"]}
    definitions = {
        "users": [account | {"hashing_algorithm": "rabbit_password_hashing_sha256"}],
        "vhosts": [{"name": "/"}],
        "permissions": [{"user": USER, "vhost": "/", **everything}],
    }
    settings = [
        f"listeners.tcp.1 = {HOST}:{ports.amqp}",
        f"listeners.ssl.1 = {HOST}:{ports.tls}",
        *_tls_options("ssl_options", directory, client_authority),
        f"management.tcp.ip = {HOST}",
        f"management.tcp.port = {ports.api}",
        f"management.ssl.ip = {HOST}",
        f"management.ssl.port = {ports.tls_api}",
        *_tls_options("management.ssl", directory, client_authority),
        "loopback_users = none",
        "log.file = false",
        "log.console = true",
        "log.console.level = warning",
        "disk_free_limit.absolute = 50MB",
        "vm_memory_high_watermark.absolute = 512MB",
        # Numbers about connections are otherwise up to five seconds old.
        "collect_statistics_interval = 500",
        f"prometheus.tcp.ip = {HOST}",
        f"prometheus.tcp.port = {ports.metrics}",
    ]
    composed = _read_compose_file()
    taken = composed["rabbitmq"].replace("/run/secrets/rabbitmq_definitions", f"{directory}/definitions.json")
    (directory / "definitions.json").write_bytes(msgspec.json.encode(definitions))
    (directory / "rabbitmq.conf").write_text("\n".join(settings) + "\n" + taken)
    (directory / "enabled_plugins").write_text(composed["rabbitmq_plugins"])
    (directory / "env.conf").touch()
    (directory / "home").mkdir()


def _read_compose_file() -> dict[str, str]:
    """Return the configuration files that the compose file holds, by name."""
    content = (Path(__file__).parents[2] / "docker-compose.yml").read_text(encoding="utf-8")
    return {name: one["content"] for name, one in yaml.safe_load(content)["configs"].items()}


def _tls_options(options: str, directory: Path, authority: str) -> list[str]:
    own = [f"{options}.certfile = {directory}/server.pem", f"{options}.keyfile = {directory}/server.pem"]
    if not authority:
        return [*own, f"{options}.verify = verify_none"]
    file = directory / "clients.pem"
    file.write_text(authority)
    return [
        *own,
        f"{options}.cacertfile = {file}",
        f"{options}.verify = verify_peer",
        f"{options}.fail_if_no_peer_cert = true",
    ]


def _environment(programs: RabbitPrograms, directory: Path, ports: Ports) -> dict[str, str]:
    return {
        "PATH": programs.path,
        "HOME": f"{directory}/home",
        "LANG": "C" if sys.platform == "darwin" else "C.UTF-8",
        "RABBITMQ_NODENAME": f"tests{secrets.token_hex(4)}@localhost",
        "RABBITMQ_MNESIA_BASE": f"{directory}/data",
        "RABBITMQ_LOG_BASE": str(directory),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_CONFIG_FILE": f"{directory}/rabbitmq.conf",
        "RABBITMQ_ADVANCED_CONFIG_FILE": f"{directory}/advanced.config",
        # Empty, so that the system's own is not read.
        "RABBITMQ_CONF_ENV_FILE": f"{directory}/env.conf",
        "RABBITMQ_ENABLED_PLUGINS_FILE": f"{directory}/enabled_plugins",
        "RABBITMQ_PID_FILE": f"{directory}/pid",
        "RABBITMQ_GENERATED_CONFIG_DIR": f"{directory}/conf",
        "RABBITMQ_SCHEMA_DIR": f"{directory}/schema",
        "RABBITMQ_FEATURE_FLAGS_FILE": f"{directory}/flags",
        "RABBITMQ_DIST_PORT": str(ports.distribution),
        "ERL_EPMD_PORT": str(ports.epmd),
        "ERL_EPMD_ADDRESS": HOST,
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
    }
