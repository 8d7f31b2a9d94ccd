"""docker-compose.yml, Dockerfile, locks and .env: what must hold of them, as far as it shows without a container engine."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from embedded.dot_env import drawn, main, required
from tests.cluster.compose import Missing, interpolate, services

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = (ROOT / "docker-compose.yml").read_text()
SERVICES: Mapping[str, dict[str, Any]] = yaml.safe_load(COMPOSE)["services"]
OURS = [name for name, what in SERVICES.items() if what["image"].startswith("newsmill")]
SECRETS = {name: f"secret-{name.lower()}" for name in required(COMPOSE)}
ENGINE = shutil.which("docker-compose")


def test_the_file_is_what_the_compose_specification_says() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", ROOT / "docker-compose.yml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_each_secret_is_required_and_the_refusal_says_how_to_make_one() -> None:
    assert set(SECRETS) == {"REDIS_PASSWORD", "POSTGRES_PASSWORD", "FERNET_KEY", "API_SECRET_KEY", "JWT_SECRET", "ADMIN_PASSWORD"}
    services(COMPOSE, SECRETS, {})
    for name in SECRETS:
        with pytest.raises(Missing, match=f"{name}: run make env"):
            services(COMPOSE, {**SECRETS, name: ""}, {})


def test_no_secret_has_a_default_or_stands_in_the_file() -> None:
    for name, what in SERVICES.items():
        for variable, value in what["environment"].items():
            if re.search(r"PASSWORD$|SECRET|_KEY$|SQL_ALCHEMY|BROKER_URL|RESULT_BACKEND", variable):
                given = value is None  # as it is in the environment, or not at all
                assert given or re.search(r"\$\{[A-Z_]+:\?", value), f"{name}: {variable}"


@pytest.mark.skipif(not ENGINE, reason="docker-compose is not installed")
def test_docker_compose_reads_the_file_as_we_do(tmp_path: Path) -> None:
    (tmp_path / "docker-compose.yml").write_text(COMPOSE)
    command = [str(ENGINE), "-f", str(tmp_path / "docker-compose.yml"), "config"]
    clean = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    assert subprocess.run([*command, "-q"], env=clean, capture_output=True, check=False).returncode != 0
    done = subprocess.run(command, env=clean | SECRETS, capture_output=True, text=True, check=True)
    for name, theirs in yaml.safe_load(done.stdout)["services"].items():
        ours = services(COMPOSE, SECRETS, {})[name]
        given = {key: value for key, value in theirs["environment"].items() if value is not None}
        assert given == ours.environment
        assert [word.replace("$$", "$") for word in theirs["command"]] == ours.command


def test_nobody_is_root_and_nobody_can_become_it() -> None:
    for what in SERVICES.values():
        assert what["user"].partition(":")[0] not in ("", "0", "root")
        assert what["cap_drop"] == ["ALL"] and what["security_opt"] == ["no-new-privileges:true"]
        assert not what.get("privileged")


def test_only_the_api_and_the_receiver_are_published_and_on_loopback_unless_told_otherwise() -> None:
    published = {name: [interpolate(port, {}) for port in what["ports"]] for name, what in SERVICES.items() if "ports" in what}
    assert published == {"api-server": ["127.0.0.1:8080:8080"], "push": ["127.0.0.1:8790:8790"]}
    assert yaml.safe_load(COMPOSE)["networks"]["back"] == {"internal": True}
    assert [SERVICES[name]["networks"] for name in ("postgres", "redis")] == [["back"], ["back"]]


def test_whatever_runs_on_has_a_health_check_a_restart_and_a_limit() -> None:
    for name, what in SERVICES.items():
        assert what["deploy"]["resources"]["limits"]["memory"]
        if name != "init":
            assert what["restart"] == "unless-stopped" and what["healthcheck"]["test"]


def test_nothing_starts_before_what_it_needs() -> None:
    after = {name: service.after for name, service in services(COMPOSE, SECRETS, {}).items()}
    init, api = {"init": "service_completed_successfully"}, {"api-server": "service_healthy"}
    assert after == {
        "postgres": {},
        "redis": {},
        "init": {"postgres": "service_healthy", "redis": "service_healthy"},
        "api-server": init,
        "dag-processor": init,
        "triggerer": init,
        "push": {},
        "scheduler": init | api,
        "worker": init | api,
    }


def test_workers_hold_no_key_and_know_no_database() -> None:
    worker = services(COMPOSE, SECRETS, {})["worker"]
    known = {name for name, secret in SECRETS.items() if any(secret in value for value in worker.environment.values())}
    assert known == {"REDIS_PASSWORD"}
    assert "postgres" not in str(worker)


def test_what_several_containers_need_lies_in_volumes() -> None:
    mounted = {name: {volume.split(":")[1] for volume in SERVICES[name]["volumes"]} for name in OURS}
    assert {"/var/lib/newsmill", "/var/log/airflow", "/opt/newsmill/config"} == mounted["worker"]
    assert "/var/log/airflow" in mounted["api-server"]  # or the pages show no logs
    assert "/var/lib/airflow-users" in mounted["api-server"] & mounted["init"]
    named = {volume.split(":")[0] for what in SERVICES.values() for volume in what["volumes"]} - {"./config"}
    assert named == set(yaml.safe_load(COMPOSE)["volumes"])


def test_every_variable_is_described() -> None:
    told = (ROOT / "docs/how-to/scale-out.md").read_text()
    settings = (ROOT / "docs/how-to/settings.md").read_text()
    for name in re.findall(r"\$\{([A-Z_]+):-", COMPOSE):
        assert re.search(rf"^\|.*`{name}`.*\|", told, re.MULTILINE), name
    passed = {variable for what in SERVICES.values() for variable, value in what["environment"].items() if value is None}
    assert passed and {name for name in passed if f"`{name}`" not in settings} == set()


def test_the_examples_in_the_guide_fit_the_file(tmp_path: Path) -> None:
    """Each is an override: what it names is there, and it is what the specification says."""
    examples = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/how-to/scale-out.md").read_text(), re.DOTALL)
    assert len(examples) == 2
    for number, example in enumerate(examples):
        override = yaml.safe_load(example)
        assert override["services"].keys() <= SERVICES.keys()
        assert override.get("volumes", {}).keys() <= yaml.safe_load(COMPOSE)["volumes"].keys()
        (tmp_path / f"{number}.yml").write_text(example)
        command = [
            sys.executable,
            "-m",
            "check_jsonschema",
            "--builtin-schema",
            "vendor.compose-spec",
            tmp_path / f"{number}.yml",
        ]
        subprocess.run(command, check=True, capture_output=True)


def test_interpolation_follows_the_rules_of_compose() -> None:
    told = {"A": "a", "EMPTY": ""}
    assert interpolate("$$HOME ${A} ${A:-x} ${EMPTY:-x} ${NONE:-} ${NONE} ${A:?why}", told) == "$HOME a a x   a"


def test_a_port_is_not_looked_for_in_a_secret() -> None:
    text = "services: {s: {command: [run, '${P:?x}', '8080']}}"
    assert services(text, {"P": "p8080"}, {"8080": "9"})["s"].command == ["run", "p8080", "9"]


def instructions() -> list[list[str]]:
    joined = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text())
    return [line.split() for line in joined.splitlines() if line.strip() and not line.startswith("#")]


def test_the_image_is_built_from_pinned_packages_alone_and_runs_as_nobody_special() -> None:
    lines = instructions()
    assert {line[0] for line in lines} == {"ARG", "FROM", "ENV", "WORKDIR", "RUN", "COPY", "USER", "CMD"}  # and so no ADD
    assert [line[1] for line in lines if line[0] == "USER"] == [SERVICES["worker"]["user"]]
    assert re.fullmatch(r"BASE=python:3\.1[1-3]-slim-[a-z]+", lines[0][1])
    installs = [part for line in lines if line[0] == "RUN" for part in " ".join(line[1:]).split("&&") if "pip install" in part]
    assert [re.findall(r"-r (\S+)|(--no-index)", part) for part in installs] == [
        [("requirements.lock", "")],
        [("requirements-distributed.lock", "")],
        [("", "--no-index")],
    ]
    assert all("--require-hashes --only-binary :all:" in part for part in installs[:2])
    assert not re.search(r"curl|wget|apt|https?:", " ".join(word for line in lines for word in line))


def copied() -> list[str]:
    return [source for line in instructions() if line[0] == "COPY" and "--from=build" not in line for source in line[1:-1]]


def test_what_the_image_copies_is_there_and_is_let_through() -> None:
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    # of a directory that is let through, a file may be copied before the rest
    assert {source for source in copied() if source.split("/")[0] not in let_through or "/" not in source} == let_through
    assert all((ROOT / source).exists() for source in copied())


def test_what_is_copied_installs_with_all_its_files(tmp_path: Path) -> None:
    """The project's build, offline, of nothing but what reaches the builder."""
    for source in copied():
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, tmp_path / source, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, tmp_path)
    options = [
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--disable-pip-version-check",
        "-q",
        "-w",
        str(tmp_path / "wheel"),
    ]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(tmp_path)], check=True)
    (wheel,) = (tmp_path / "wheel").iterdir()
    installed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    rooms = ("schemas", "pipeline", "embedded")
    assert installed == {
        path.relative_to(ROOT).as_posix()
        for room in rooms
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    } | {"pipeline/feeds/offered.toml"}


def test_secrets_are_drawn_once_for_the_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "docker-compose.yml").write_text("a: ${FIRST:?x} ${SECOND:-no} ${THIRD:?x} ${FIRST:?x}")
    (tmp_path / ".env").write_text("THIRD=mine")
    assert main(tmp_path) == 0
    first = (tmp_path / ".env").read_text()
    assert re.fullmatch(r"THIRD=mine\nFIRST=[0-9a-f]{64}\n", first)
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    assert main(tmp_path) == 0 and (tmp_path / ".env").read_text() == first
    assert any(fnmatch("/.env", line) for line in (ROOT / ".gitignore").read_text().splitlines())


def test_a_drawn_fernet_key_is_one() -> None:
    from cryptography.fernet import Fernet

    key = Fernet(drawn("FERNET_KEY"))
    assert key.decrypt(key.encrypt(b"x")) == b"x"


def pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9][\w.-]*)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE))


def test_the_second_lock_holds_only_what_the_first_lacks_and_all_that_the_extra_names() -> None:
    first, second = pins("requirements.lock"), pins("requirements-distributed.lock")
    assert {name for name in first.keys() & second.keys() if first[name] != second[name]} == set()
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["distributed"]
    assert {re.split(r"[<>=\[]", requirement)[0] for requirement in named} <= second.keys()
    assert tuple(map(int, second["celery"].split(".")[:2])) < (5, 7)
    text = (ROOT / "requirements-distributed.lock").read_text()
    assert len(re.findall(r"==\S+ .*\\\n    --hash=sha256:", text)) == len(second) and "://" not in text
