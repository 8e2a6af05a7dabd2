"""The container files fit the program: what they build, start, mount and set is there, and nobody has needless rights."""

from __future__ import annotations

import json
import os
import re
import shlex
from typing import Any

import pytest
import yaml

from gate.cli import build_parser as gate_parser
from server.cli import build_parser as server_parser
from server.cli_secrets import compose_files
from server.settings import OwnerSettings, Settings
from tests.meta.sources import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if "build" in service]
SETTINGS = {name.upper() for kind in (Settings, OwnerSettings) for name in kind.__struct_fields__}


def stages() -> dict[str, list[str]]:
    """Return the instructions of each stage, continued lines joined."""
    found: dict[str, list[str]] = {}
    for line in DOCKERFILE.replace("\\\n", " ").splitlines():
        start = re.fullmatch(r"FROM \S+ AS ([a-z-]+)", line)
        if start:
            found[start[1]] = []
        elif found and line and not line.startswith("#"):
            found[list(found)[-1]].append(line)
    return found


def setting_names(service: dict[str, Any]) -> set[str]:
    return {
        name.removesuffix("_FILE") for name in service.get("environment", {}) if not name.startswith("TICKETTOKEN_")
    }


@pytest.mark.parametrize("target", ["server", "gate"])
def test_program_images_run_as_nobody_in_particular_and_tell_their_health(target: str) -> None:
    lines = stages()[target]
    [user] = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)
    after = lines[lines.index(f"USER {user}") :]
    assert not [line for line in after if line.startswith(("RUN", "COPY"))]
    assert any(line.startswith("HEALTHCHECK") and "CMD [" in line for line in lines)


def test_what_is_copied_exists_and_is_let_through() -> None:
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        line.split()[1]
        for lines in stages().values()
        for line in lines
        if line.startswith("COPY") and "--from" not in line
    }
    assert copied == let_through
    assert all((ROOT / name).exists() for name in copied)


def test_the_server_image_can_back_up_the_database_of_the_compose_file() -> None:
    installed = re.findall(r"postgresql-client-(\d+)", "\n".join(stages()["server"]))
    database = SERVICES["postgres"]["image"].partition(":")[2]
    assert [int(major) >= int(database) for major in installed] == [True]
    base = re.search(r"^ARG PYTHON=\S+-slim-(\w+)$", DOCKERFILE, flags=re.MULTILINE)
    assert base is not None  # a release by name: another would have another PostgreSQL


def test_every_line_of_the_dockerfile_is_an_instruction() -> None:
    known = {
        "FROM",
        "ARG",
        "RUN",
        "COPY",
        "ENV",
        "WORKDIR",
        "USER",
        "EXPOSE",
        "STOPSIGNAL",
        "HEALTHCHECK",
        "ENTRYPOINT",
    }
    known |= {"CMD", "VOLUME"}
    joined = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE))
    lines = [line for line in joined.splitlines() if line.strip()]
    assert {line.split()[0] for line in lines} <= known
    for line in lines:
        word, _, rest = line.partition(" ")
        command = rest.partition("CMD ")[2] if word == "HEALTHCHECK" else rest
        if word in {"CMD", "ENTRYPOINT", "HEALTHCHECK"}:
            assert all(isinstance(part, str) for part in json.loads(command)), line  # no shell in between
        if word == "RUN":
            shlex.split(rest)  # quotes are closed
    assert {line.split("--from=")[1].split()[0] for line in lines if "--from=" in line} <= set(stages())


def test_the_topology_is_the_promised_one() -> None:
    assert {name: SERVICES[name].get("deploy", {}).get("replicas", 1) for name in SERVICES} == {
        "server": 2,
        "worker": 2,
        "migrate": 1,
        "postgres": 1,
        "redis": 1,
        "rabbitmq": 1,
        "gate": 1,
    }
    assert SERVICES["gate"]["profiles"] == ["gate"]
    assert {one["target"] for one in SERVICES["rabbitmq"]["configs"]} == {
        "/etc/rabbitmq/conf.d/20-tickettoken.conf",
        "/etc/rabbitmq/enabled_plugins",
    }


def test_secrets_come_as_files_alone() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"(PASSWORD|SECRET|_TOKEN|KEY|DATABASE_URL|RABBITMQ\w*_URL)(_FILE)?$", name):
                assert name.endswith("_FILE"), name
                assert str(value).startswith("/run/secrets/")


def test_packages_are_checked_by_hash() -> None:
    installs = [line for lines in stages().values() for line in lines if "pip install" in line]
    assert len(installs) == 2
    assert all("--require-hashes" in line and "requirements.lock" in line for line in installs)


def test_services_are_built_from_targets_that_exist() -> None:
    assert {SERVICES[name]["build"]["target"] for name in OURS} == {"server", "gate"}
    assert {"server", "gate"} <= set(stages())


@pytest.mark.parametrize("name", OURS)
def test_our_services_start_a_command_the_program_has(name: str) -> None:
    service = SERVICES[name]
    parser = gate_parser() if service["build"]["target"] == "gate" else server_parser()
    assert parser.parse_args(service["command"]).command == service["command"][0]


@pytest.mark.parametrize("target", ["server", "gate"])
def test_an_image_starts_a_command_the_program_has(target: str) -> None:
    [command] = [yaml.safe_load(line.removeprefix("CMD ")) for line in stages()[target] if line.startswith("CMD ")]
    parser = gate_parser() if target == "gate" else server_parser()
    assert parser.parse_args(command).command == command[0]


@pytest.mark.parametrize("name", OURS)
def test_our_services_have_no_right_they_do_not_need(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service


@pytest.mark.parametrize("name", [name for name in OURS if name != "gate"])
def test_our_services_set_only_settings_there_are(name: str) -> None:
    service = SERVICES[name]
    assert setting_names(service) <= SETTINGS
    needed = (
        {"OWNER_DATABASE_URL"} if name == "migrate" else {"DATABASE_URL", "WORKER_DATABASE_URL", "QR_ENCRYPTION_KEY"}
    )
    assert needed <= setting_names(service)
    for setting, value in service["environment"].items():
        if setting.endswith("_FILE"):
            assert value.removeprefix("/run/secrets/") in service["secrets"]


def test_only_migrating_knows_the_owners_password() -> None:
    assert [name for name in SERVICES if "owner_database_url" in SERVICES[name].get("secrets", [])] == ["migrate"]


@pytest.mark.parametrize("name", ["server", "worker"])
def test_nobody_is_killed_while_leaving(name: str) -> None:
    service = SERVICES[name]
    answering_s = 10  # server.app gives this to what was begun
    assert int(service["stop_grace_period"].removesuffix("s")) > service["environment"]["DRAIN_SECONDS"] + answering_s


def test_every_secret_is_made_by_the_command_for_it() -> None:
    made = {f"./secrets/{name}" for name in compose_files(os.urandom)}
    assert {secret["file"] for secret in COMPOSE["secrets"].values()} == made


def test_whoever_is_waited_for_can_tell_that_it_is_ready() -> None:
    for service in SERVICES.values():
        for name, wish in service.get("depends_on", {}).items():
            told = "healthcheck" in SERVICES[name] or "build" in SERVICES[name]
            assert told if wish["condition"] == "service_healthy" else SERVICES[name]["restart"] == "no"


def test_images_of_others_have_a_version() -> None:
    images = [service["image"] for name, service in SERVICES.items() if name not in OURS]
    assert len(images) == 3
    assert all(re.fullmatch(r"[a-z/]+:\d[\w.-]*", image) for image in images)


def test_volumes_and_files_that_are_mounted_are_declared() -> None:
    used = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert used == set(COMPOSE["volumes"])
    assert {one["source"] for service in SERVICES.values() for one in service.get("configs", [])} == set(
        COMPOSE["configs"]
    )


def test_nothing_listens_beyond_this_machine() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_commands_in_the_head_of_the_file_exist() -> None:
    head = (ROOT / "docker-compose.yml").read_text().partition("\nx-")[0]
    [line] = [one for one in head.splitlines() if "tickettoken secrets" in one]
    words = shlex.split(line.lstrip("# ").split("  ")[0])
    assert server_parser().parse_args(words[words.index("tickettoken") + 1 :]).run == "server.cli_secrets:make"
