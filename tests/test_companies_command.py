"""`newsmill companies` as its users meet it."""

import csv
import io
import json
from pathlib import Path

import pytest

from tests.test_command_line import newsmill


def test_a_company_is_found_for_people_programs_and_spreadsheets() -> None:
    people = newsmill("companies", "find", "munchener")
    assert people.returncode == 0 and people.stderr == ""
    assert people.stdout.splitlines()[1].split() == ["munich-re", "Munich", "Re", "DE", "XETR:MUV2", "short", "Münchener", "Rück"]
    program = json.loads(newsmill("companies", "find", "XETR:MUV2", "--json").stdout)
    assert program == {
        "company_id": "munich-re", "name": "Munich Re", "country": "DE", "matched": "XETR:MUV2", "kind": "ticker", "exact": True,
        "isins": ["DE0008430026"], "listings": ["XETR:MUV2"], "parent_id": None, "private": False, "curated": True,
    }  # fmt: skip
    (sheet,) = csv.DictReader(io.StringIO(newsmill("companies", "find", "XETR:MUV2", "--csv").stdout))
    assert (sheet["company_id"], sheet["country"], sheet["parent_id"]) == ("munich-re", "DE", "")


def test_what_is_left_out_is_told() -> None:
    lines = newsmill("companies", "find", "deutsche", "--limit", "2").stdout.splitlines()
    assert len(lines) == 4 and lines[-1].startswith("and ") and "--limit" in lines[-1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["find", "Simens"], "companies is called 'Simens'; did you mean Siemens (siemens)"),
        (["find", "xqzvwk", "--json"], "is called 'xqzvwk'; look for a part of the name, an ISIN or MIC:TICKER"),
        (["show", "merck"], "'merck' is no company's id; did you mean merck-co (Merck), merck-kgaa (Merck)?"),
        (["show", "Folkswagen"], "did you mean Volkswagen (volkswagen)"),
    ],
)
def test_who_is_not_found_may_have_been_misspelt(words: list[str], message: str) -> None:
    done = newsmill("companies", *words)
    assert (done.returncode, done.stdout) == (1, "") and message in done.stderr


def test_a_company_is_shown_with_its_names_family_and_news(wire_run: Path) -> None:
    lake = str(wire_run / "lake")
    ((known, name, _),) = csv.reader(
        io.StringIO(
            newsmill(
                "sql", "select company_id, name, count(distinct article_id) from sentiments join companies using (company_id) "
                "where relevance > 0.5 group by all order by 3 desc, 1 limit 1", "--csv", "--lake", lake,
            ).stdout.partition("\n")[2]
        )
    )  # fmt: skip
    people = newsmill("companies", "show", known, "--lake", lake)
    assert people.returncode == 0 and people.stdout.startswith(f"{name}  {known}\n")
    assert "names, and when they count as it" in people.stdout and "│" in people.stdout and " on average" in people.stdout
    program = json.loads(newsmill("companies", "show", known, "--json", "--lake", lake).stdout)
    seen = program["lake"]
    assert seen["articles"] >= seen["stories"] >= 1 and seen["first"] <= seen["last"]
    assert sum(day["stories"] for day in seen["days"]) <= seen["stories"] and all(-1 <= day["score"] <= 1 for day in seen["days"])


def test_without_a_lake_the_registry_answers_alone(tmp_path: Path) -> None:
    program = json.loads(newsmill("companies", "show", "Volkswagen AG", "--json", NEWSMILL_RUN=str(tmp_path)).stdout)
    assert program["company_id"] == "volkswagen" and program["lake"] is None
    assert {"audi", "porsche", "traton"} <= set(program["children"])
    assert "no lake to look into" in newsmill("companies", "show", "audi", NEWSMILL_RUN=str(tmp_path)).stdout
    named = newsmill("companies", "show", "audi", "--lake", str(tmp_path / "none"))
    assert named.returncode == 1 and "no lake at" in named.stderr
