"""docker-compose.yml as data: its services with their commands, environments and health checks, variables filled in. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

VARIABLE = re.compile(r"\$(?:\$|\{([A-Z_]+)(?:(:[-?])([^}]*))?\})")


class Missing(Exception):
    """A variable has no value and no default; carries its name and what the file says of it."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service; `command` and `health` are argument vectors, `health` empty where there is none."""

    name: str
    command: list[str]
    health: list[str]
    environment: dict[str, str]
    after: dict[str, str]  # service → condition
    copies: int


def services(text: str, variables: Mapping[str, str], places: Mapping[str, str]) -> dict[str, Service]:
    """What a compose file starts. `places` are texts to put in the place of others, the longest first: paths, hosts and ports.

    Raises:
        Missing: a required variable is not among the variables.
    """
    described = yaml.safe_load(text)["services"]
    return {name: _service(name, _filled(what, variables, places), variables) for name, what in described.items()}


def _service(name: str, what: dict[str, Any], variables: Mapping[str, str]) -> Service:
    passed = {key: variables.get(key) if value is None else str(value) for key, value in what.get("environment", {}).items()}
    return Service(
        name,
        what["command"],
        _argv(what.get("healthcheck", {}).get("test", [])),
        {key: value for key, value in passed.items() if value is not None},
        {other: condition["condition"] for other, condition in what.get("depends_on", {}).items()},
        int(what.get("scale", 1)),
    )


def _argv(test: list[str]) -> list[str]:
    return ["sh", "-c", *test[1:]] if test[:1] == ["CMD-SHELL"] else test[1:]


def _filled(value: Any, variables: Mapping[str, str], places: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(inner, variables, places) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, variables, places) for inner in value]
    return interpolate(_moved(value, places), variables) if isinstance(value, str) else value


def _moved(text: str, places: Mapping[str, str]) -> str:
    """Before variables are filled in, so that no digits of a secret are taken for a port."""
    ordered = sorted(places, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, ordered)), lambda found: places[found[0]], text) if ordered else text


def interpolate(text: str, variables: Mapping[str, str]) -> str:
    """Compose's own rules, as far as the file uses them: `$$`, `${NAME}`, `${NAME:-default}`, `${NAME:?why}`."""

    def value(found: re.Match[str]) -> str:
        name, kind, rest = found.groups()
        if name is None:
            return "$"
        if kind == ":?" and not variables.get(name):
            raise Missing(f"{name}: {rest}")
        return variables.get(name) or (rest if kind == ":-" else "")

    return VARIABLE.sub(value, text)
