"""A feed that asks for credentials, from the catalogue to the lake: named where they lack, sent where they are, kept nowhere."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ConfigError
from pipeline.feeds import load_catalogue
from pipeline.lake import connect
from pipeline.run import settle, work_shard
from schemas import TABLES
from tests.run.publisher import START, Desk, publishing

PASSWORD = "s3cr3t-pässword"


def test_credentials_reach_the_feed_and_stay_out_of_lake_and_log(tmp_path: Path) -> None:
    said: list[str] = []

    def pull(desk: Desk, batch: str, **changes: Any) -> list[Any]:
        settings = replace(desk.settings, **changes)
        work_shard(settings, "pull", batch, 0, said.append, lambda: desk.now)
        settle(settings, "pull", batch, said.append, lambda: desk.now)
        return desk.rows("SELECT outcome, detail, failures FROM feeds")

    with publishing() as publisher:
        desk = Desk(tmp_path, publisher)
        with desk.settings.catalogue.open("a") as catalogue:
            catalogue.write('credentials = "handelsblatt"\n')
        why = (
            "nothing is kept under its credentials 'handelsblatt': set NEWSMILL_CREDENTIALS_HANDELSBLATT, "
            "or a connection of that name in airflow"
        )
        assert pull(desk, "20261123T090000Z") == [("refused", why, 1)]
        assert publisher.asked == []
        desk.now = START + timedelta(hours=1)
        (ended,) = pull(desk, "20261123T100000Z", secrets={"handelsblatt": f"user:{PASSWORD}"}.get)
        assert ended == ("parsed", None, 0)
        assert publisher.asked == ["robots.txt", "feed"]
    kept = "\n".join(said)
    with connect(desk.settings.lake) as con:
        for table in (*TABLES, "bodies"):
            kept += repr(con.sql(f"FROM lake.{table}").fetchall())
    assert "Siemens raises" in kept
    for secret in (PASSWORD, "s3cr3t", "dXNlcjp"):
        assert secret not in kept


def test_a_secret_in_the_catalogue_is_refused_and_not_repeated(tmp_path: Path) -> None:
    path = tmp_path / "feeds.toml"
    path.write_text(f'[[feed]]\nurl = "https://x.example/"\ncredentials = "user:{PASSWORD}"\n')
    with pytest.raises(ConfigError, match=r"feed 1: credentials is no name; give their name alone, in lower-case") as caught:
        load_catalogue(path)
    assert "s3cr3t" not in str(caught.value)
