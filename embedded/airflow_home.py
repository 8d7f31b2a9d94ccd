"""The environment of an Airflow for one machine: SQLite, LocalExecutor, loopback only. Pure; nothing here imports Airflow."""

from collections.abc import Mapping
from pathlib import Path

from embedded.ports import LOOPBACK
from embedded.run_directory import RunDirectory


def airflow_settings(place: RunDirectory, dags: Path, port: int, keys: Mapping[str, str]) -> dict[str, str]:
    """Airflow's settings, as variables.

    Parallelism and idle sleep belong together: with standalone's defaults (32 and 1 s) SQLite locked up and the scheduler died.
    """
    address = f"http://{LOOPBACK}:{port}"
    section = {
        "CORE__DAGS_FOLDER": str(dags),
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": "8",
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__AUTH_MANAGER": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(place.passwords),
        "CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{place.database}",
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",  # a task that has ended may hold its worker for this long: by default 5 s
        "DAG_PROCESSOR__REFRESH_INTERVAL": "30",
        "LOGGING__BASE_LOG_FOLDER": str(place.airflow / "logs"),
        "API__HOST": LOOPBACK,  # Airflow's own default listens to the whole network
        "API__PORT": str(port),
        "API__BASE_URL": address,
        "API__SECRET_KEY": keys["api"],
        "API_AUTH__JWT_SECRET": keys["jwt"],
    }
    return {"AIRFLOW_HOME": str(place.airflow)} | {f"AIRFLOW__{name}": value for name, value in section.items()}


def environment(inherited: Mapping[str, str], airflow: Mapping[str, str], newsmill: Mapping[str, str]) -> dict[str, str]:
    """What the processes see: nothing of another Airflow's settings, and no proxy between them."""
    kept = {name: value for name, value in inherited.items() if not name.startswith("AIRFLOW")}
    direct = ",".join(filter(None, (inherited.get("NO_PROXY") or inherited.get("no_proxy"), LOOPBACK, "localhost")))
    return kept | {"NO_PROXY": direct, "no_proxy": direct, "PYTHONUNBUFFERED": "1"} | dict(airflow) | dict(newsmill)
