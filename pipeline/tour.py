"""What a lake holds, in two screens: one company by day, one story and its copies, one article and its evidence, three questions.

Each part takes the example that shows most of it, and is left out where the lake has none yet. Reads only.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import duckdb
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.show import counts, ended
from pipeline.why import find, trail
from pipeline.why.said import said
from pipeline.why.steps import count

Row = dict[str, Any]

_DAYS = 7
_PRINTS = 5
_BAR = 9  # characters from the middle to either side

#: What is said of companies as a reader would count it: once a story, advertisements left out, by the day its publisher
#: claims, but never later than we saw it. An article that only mentions a company in passing tells nothing of it.
_SAID = """
    SELECT s.company_id, a.story_id, avg(s.score) AS score, max(s.relevance) AS relevance, bool_or(s.mixed) AS mixed,
           arg_max(a.title, s.relevance) AS title,
           min(least(coalesce(a.published_at, a.seen_at), a.seen_at) AT TIME ZONE 'UTC')::DATE AS day
    FROM sentiments s JOIN articles a USING (version_id)
    WHERE s.company_id IS NOT NULL AND s.relevance >= 0.5 AND a.genre IS DISTINCT FROM 'promotion'
    GROUP BY ALL
"""

_COMPANY = f"""
    WITH said AS ({_SAID})
    SELECT company_id, c.name, count(*) AS stories, count(DISTINCT day) AS days, avg(score) AS score
    FROM said JOIN companies c USING (company_id)
    GROUP BY ALL ORDER BY days DESC, stories DESC, stddev_pop(score) DESC, name LIMIT 1
"""

_BY_DAY = f"""
    WITH said AS ({_SAID})
    SELECT day, count(*) AS stories, sum(score * relevance) / sum(relevance) AS score, bool_or(mixed) AS mixed,
           arg_max(title, relevance) AS title
    FROM said WHERE company_id = $company_id GROUP BY day ORDER BY day DESC LIMIT $most
"""

_STORY = """
    SELECT story_id FROM articles GROUP BY story_id HAVING count(*) > 1
    ORDER BY count(*) DESC, max(seen_at) DESC, story_id LIMIT 1
"""

_PRINTS_OF = """
    SELECT a.article_id, a.title, a.source, coalesce(a.published_at, a.seen_at) AS claimed_at, a.duplicate_of IS NULL AS original,
           a.text_hash, len(a.promo) AS promo, round(100 * a.promo_share)::INTEGER AS promo_percent
    FROM articles a WHERE story_id = $story_id ORDER BY original DESC, claimed_at, a.article_id
"""

#: Rather one that speaks well of one company and ill of another, and that had something sold around it.
_ARTICLE = """
    SELECT a.article_id
    FROM articles a JOIN sentiments s USING (version_id)
    WHERE s.company_id IS NOT NULL AND s.relevance >= 0.3
    GROUP BY a.article_id
    ORDER BY (max(s.sentiment) - min(s.sentiment)) + any_value(len(a.promo) > 0)::INTEGER DESC, bool_or(s.mixed) DESC,
             sum(len(s.evidence)) DESC, a.article_id LIMIT 1
"""

#: Each runs as it stands, on any lake; the last one cannot see what came later.
QUESTIONS = {
    "of whom is most said, and how": """
select name, count(distinct story_id) as stories, round(avg(score), 2) as mood from sentiments
join companies using (company_id) join articles using (version_id) group by all order by stories desc limit 10""",
    "who sells around the news": """
select source, count(*) as articles, round(avg(promo_share), 2) as sold, count(*) filter (genre = 'promotion') as adverts
from articles group by all order by sold desc""",
    "what was known at a moment, and nothing later": """
select count(*) as now, (select count(*) from articles_as_of(now() - interval 1 minute)) as a_minute_ago from articles""",
}


def tour(con: duckdb.DuckDBPyConnection, console: Console, command: str = "newsmill") -> None:
    """Prints the tour; `command` is how the reader calls Newsmill here."""
    for part in ([_holds(con)], _company(con), _story(con), _article(con, plain=console.color_system is None)):
        for line in (*part, "") if part else ():
            console.print(line)
    console.print(_questions(command), soft_wrap=True)  # whole lines, so that they can be copied


def by_day(con: duckdb.DuckDBPyConnection, company_id: str, most: int = _DAYS) -> list[Row]:
    """What is said of a company by day, newest first: stories, score (-1 to 1), mixed, the title that says most."""
    return _records(con.sql(_BY_DAY, params={"company_id": company_id, "most": most}))


def picture(con: duckdb.DuckDBPyConnection, company_id: str, most: int = _DAYS) -> Table:
    """What is said of a company by day, newest first: bar to the left for bad, to the right for good."""
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    for wide in (False, False, False, False, True):
        table.add_column(no_wrap=True, ratio=1 if wide else None, overflow="ellipsis")
    for row in by_day(con, company_id, most):
        stories, title = count(row["stories"], "story", "stories"), Text(row["title"], "dim")
        table.add_row(f" {row['day']:%m-%d}", _bar(row["score"]), f"{row['score']:+.2f}", stories, title)
    return table


def _bar(score: float) -> Text:
    length = round(abs(score) * _BAR)
    left, right = ("█" * length, "") if score < 0 else ("", "█" * length)
    return Text.assemble((left.rjust(_BAR), "red"), ("│", "dim"), (right.ljust(_BAR), "green"))


def _holds(con: duckdb.DuckDBPyConnection) -> Text:
    total = counts(con)
    stories, feeds = count(total["stories"], "story", "stories"), count(total["feeds"], "feed")
    named = f"{count(total['mentions'], 'mention')} of {count(total['companies'], 'company', 'companies')}"
    dropped = [f"{row['entries']} {row['code']}" for row in ended(con) if not row["kept"]]
    why = f"\nnot kept, or not yet, and why (newsmill show): {', '.join(dropped)}" if dropped else ""
    return Text.assemble((count(total["articles"], "article"), "bold"), f" in {stories} from {feeds}; {named}", (why, "dim"))


def _company(con: duckdb.DuckDBPyConnection) -> list[RenderableType]:
    for row in _records(con.sql(_COMPANY)):
        told = f"  {count(row['stories'], 'story', 'stories')} in {count(row['days'], 'day')}, {row['score']:+.2f} on average"
        return [Text.assemble(("a company  ", "cyan"), (row["name"], "bold"), told), picture(con, row["company_id"])]
    return []


def _story(con: duckdb.DuckDBPyConnection) -> list[RenderableType]:
    for (story_id,) in con.sql(_STORY).fetchall():
        first, *others = _records(con.sql(_PRINTS_OF, params={"story_id": story_id}))
        table = Table.grid(padding=(0, 2, 0, 0))
        for row in (first, *others[: _PRINTS - 1]):
            how = "first" if row is first else "same text" if row["text_hash"] == first["text_hash"] else "much the same text"
            sold = f"{count(row['promo'], 'line')} of promotion ({row['promo_percent']} %)" if row["promo"] else ""
            at, lag = row["claimed_at"], _lag(row["claimed_at"] - first["claimed_at"])
            table.add_row(f" {at:%m-%d %H:%M}", row["source"], how, lag, Text(sold, "dim"))
        head = Text.assemble(("a story  ", "cyan"), f"printed {len(others) + 1} times  ", (first["title"], "bold"))
        return [_cut(head), table]
    return []


def _lag(lag: timedelta) -> str:
    """First is what we saw first, whatever the publishers say of their times."""
    minutes = round(lag / timedelta(minutes=1))
    told = f"{abs(minutes)} min" if abs(minutes) < 120 else f"{abs(minutes) / 60:.1f} h"
    return "" if not minutes else f"+{told}" if minutes > 0 else f"{told} before, seen later"


def _article(con: duckdb.DuckDBPyConnection, *, plain: bool) -> list[RenderableType]:
    for (article_id,) in con.sql(_ARTICLE).fetchall():
        version = trail(con, find(con, article_id))["versions"][-1]
        table = Table.grid(padding=(0, 1))
        table.add_column(no_wrap=True)
        for score, lines in said(version["taggings"][-1], plain=plain, most=2, sentences=(5, 1)):
            table.add_row(Text.assemble(" ", score), lines[0])
            for line in lines[1:]:
                table.add_row("", line)
        head = _cut(Text.assemble(("an article  ", "cyan"), (version["title"], "bold")))
        more = Text(f" {version['source']}, {version['language']}; all of it: newsmill why {article_id[:10]}", "dim")
        return [head, more, table, *_sold(version["promo"])]
    return []


def _sold(promo: list[Row]) -> Iterator[RenderableType]:
    for piece in promo[:2]:
        yield _cut(Text.assemble((" taken out: ", "dim"), (" ".join(piece["text"].split()), "dim strike")))
    if len(promo) > 2:
        yield Text(f" and {len(promo) - 2} lines more", "dim")


def _cut(text: Text) -> Group:
    """On one line, whatever its length; in a group, because printing a text by itself forgets how it is to be wrapped."""
    text.no_wrap, text.overflow = True, "ellipsis"
    return Group(text)


def _questions(command: str) -> Text:
    text = Text.assemble(("three questions to copy", "cyan"))
    for asked, statement in QUESTIONS.items():
        text.append(f"\n {asked}", "dim").append(f'\n{command} sql "{" ".join(statement.split())}"')
    return text


def _records(rows: duckdb.DuckDBPyRelation) -> list[Row]:
    return rows.to_arrow_table().to_pylist()
