"""A lake that lives: news, corrections, copies, new judgements, new names of companies, takedown, days and months that close."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.lake import connect
from pipeline.lake.commit import Parcel, Timing, commit
from pipeline.lake.layout import BatchRef, batch_id_of
from pipeline.run.forget import Target, take_down
from pipeline.settings import Settings
from schemas import TABLES
from schemas.article import Article, Relation
from schemas.columns import to_arrow
from schemas.outcome import Superseded
from schemas.tag import Company, Mention, Sentiment, Tagging
from tests.lake.news import DAY, News, new_lake

ASKED = ("articles", "stories", "mentions", "sentiments", "companies")
Rows = dict[str, list[tuple[Any, ...]]]


@dataclass
class Living:
    """A lake, dice, and what has been put into it; batches lie under days of `day`, and count by the real clock."""

    root: Path
    dice: random.Random
    news: News = field(init=False)
    day: datetime = DAY
    made: int = 0
    versions: dict[str, str] = field(default_factory=dict)  # article_id → the version that stands
    taggings: dict[str, str] = field(default_factory=dict)  # version_id → the tagging that counts
    seen: dict[str, datetime] = field(default_factory=dict)  # version_id → news_at
    forgotten: set[str] = field(default_factory=set)
    steps: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.news = News(new_lake(self.root))

    def live(self) -> None:
        """One step: something of what happens to a lake."""
        happens: list[tuple[Callable[[], None], int]] = [
            (self.tell, 5), (self.correct, 4), (self.copy, 3), (self.judge_again, 4), (self.rename, 2), (self.forget, 1),
            (self.pass_time, 3),
        ]  # fmt: skip
        (act,) = self.dice.choices([act for act, _ in happens], [weight for _, weight in happens])
        if self.standing or act in (self.tell, self.rename):
            self.steps.append(act.__name__)
            act()

    @property
    def standing(self) -> list[str]:
        return sorted(self.versions.keys() - self.forgotten)

    def tell(self) -> None:
        self._version(f"a_{self.made}")

    def correct(self) -> None:
        article = self.dice.choice(self.standing)
        self._version(article, replaces=self.versions[article])

    def copy(self) -> None:
        """An article that repeats another one's text."""
        self._version(f"a_{self.made}", repeats=self.dice.choice(self.standing))

    def judge_again(self) -> None:
        version = self.versions[self.dice.choice(self.standing)]
        self._judge(version, replaces=self.taggings[version])

    def rename(self) -> None:
        name = f"c_{self.dice.randrange(3)}"
        self._commit("tag", companies=[Company(company_id=name, name=f"Name {self.made}", record_id=f"{name}-{self.made}")])

    def forget(self) -> None:
        if len(self.standing) > 3:
            article = self.dice.choice(self.standing)
            take_down(
                Settings.from_env({"NEWSMILL_LAKE": str(self.root), "NEWSMILL_CLOCK_TOLERANCE_S": "0"}), Target(article), "asked"
            )
            self.forgotten.add(article)

    def pass_time(self) -> None:
        self.day += timedelta(days=self.dice.choice((1, 2, 25)))
        self.news.close(self.day + timedelta(hours=8))
        self.day += timedelta(hours=9)

    def _version(self, article: str, replaces: str | None = None, repeats: str | None = None) -> None:
        version, at = f"v_{self.made}", self.day
        row = Article(
            article_id=article, version_id=version, entry_id=f"e_{article}", revision=f"r_{self.made}", feed_id="f",
            source=f"S{self.dice.randrange(3)}", title=f"Title {self.made}", text=f"Text {self.made}.", seen_at=at, language="en",
            text_hash=version, extractor="x", genre=self.dice.choice((None, None, "promotion")),
        )  # fmt: skip
        more: dict[str, list[Any]] = {}
        if replaces:
            more["superseded"] = [Superseded(what="version", id=replaces, replaced_by=version, why="revised")]
        if repeats:
            other = self.versions[repeats]
            more["relations"] = [
                Relation(version_id=version, article_id=article, other_version_id=other, other_article_id=repeats,
                         kind="duplicate_of",
                         method="m", containment=1.0, lag_s=0.0, story_id=repeats)
            ]  # fmt: skip
        self._commit("read", articles=[row], **more)
        self.versions[article] = version
        with connect(self.root) as con:
            (self.seen[version],) = (
                con.execute("SELECT available_at FROM lake.articles WHERE version_id = ?", [version]).fetchone() or ()
            )
        self._judge(version)

    def _judge(self, version: str, replaces: str | None = None) -> None:
        tagging, article = f"t_{self.made}", next(a for a, v in self.versions.items() if v == version)
        of: dict[str, Any] = {"tagging_id": tagging, "version_id": version, "article_id": article, "news_at": self.seen[version]}
        companies = self.dice.sample(("c_0", "c_1", "c_2"), self.dice.randint(0, 2))
        score = self.dice.choice((-0.5, 0.0, 0.5))
        said = {"p_negative": 0.25, "p_neutral": 0.5, "p_positive": 0.25, "score": score, "sentiment": int(score * 2)}
        rows: dict[str, list[Any]] = {
            "taggings": [Tagging(tagger=f"rules-{self.made}", registry="y", mentions=1, companies=len(companies), **of)],
            "mentions": [
                Mention(company_id=c, name=c, field="title", start=0, end=3, surface="C", alias_kind="name", link_score=1.0,
                        in_ad=False, **of)
                for c in companies
            ],
            "sentiments": [
                Sentiment(company_id=c, relevance=self.dice.choice((0.5, 1.0)), **said, **of) for c in (*companies, None)
            ],
        }  # fmt: skip
        if replaces:
            rows["superseded"] = [Superseded(what="tagging", id=replaces, replaced_by=tagging, why="retagged")]
        self._commit("tag", **rows)
        self.taggings[version] = tagging

    def _commit(self, stage: str, **rows: list[Any]) -> None:
        self.made += 1
        self.day += timedelta(minutes=self.dice.randint(1, 90))
        tables = {name: to_arrow(found, TABLES[name].row) for name, found in rows.items() if found}
        commit(self.news.lake, Parcel(BatchRef(batch_id_of(self.day), stage), tables), Timing(timedelta(0)))

    def moment(self) -> datetime:
        """Now, once everything committed counts."""
        with connect(self.root) as con:
            tables = " UNION ALL ".join(f"SELECT max(available_at) AS newest FROM lake.{name}" for name in TABLES)
            (last,) = con.execute(f"SELECT max(newest) FROM ({tables})").fetchone() or (None,)
        while last and datetime.now(UTC) <= last:
            time.sleep(0.001)
        return datetime.now(UTC)

    def shown(self, at: datetime | None) -> Rows:
        """What every view shows, at a moment or now."""
        with connect(self.root) as con:
            return {
                name: sorted(
                    con.execute(f"FROM {name}_as_of(?)" if at else f"FROM {name}", [at] if at else []).fetchall(), key=repr
                )
                for name in ASKED
            }

    def without_forgotten(self, shown: Rows, columns: dict[str, list[str]]) -> Rows:
        """What was shown, save what has been taken down since; of stories, those that have nothing to do with it."""
        with connect(self.root) as con:
            stories = {s for (s,) in con.execute("SELECT DISTINCT story_id FROM lake.relations").fetchall()}
        touched = (
            {row[0] for row in shown["stories"] if row[0] in self.forgotten or (row[0] in stories)} if self.forgotten else set()
        )
        kept: Rows = {"stories": [row for row in shown["stories"] if row[0] not in touched], "companies": shown["companies"]}
        for name in ("articles", "mentions", "sentiments"):
            article, copied = (
                columns[name].index("article_id"),
                columns[name].index("duplicate_of") if name == "articles" else None,
            )
            rows = [row for row in shown[name] if row[article] not in self.forgotten]
            if copied is not None:
                rows = [(*r[:copied], None if r[copied] in self.forgotten else r[copied], *r[copied + 1 :]) for r in rows]
            kept[name] = sorted(rows, key=repr)
        return kept
