"""What two lakes hold, compared by SQL without what must differ: moments of commit, and which of two equal texts came first."""

from collections import Counter
from pathlib import Path

from pipeline.lake import connect

_STORY = "min(article_id) OVER (PARTITION BY story_id)"

#: Of each view what follows from the news alone. Where two publishers print one text, or two feeds link one page, whoever was
#: answered first is the article and the other its copy: their codes are compared together.
WHAT = {
    "feeds": "SELECT feed_id, outcome FROM feeds",
    "articles": f"""
        SELECT article_id, {_STORY} AS story, host, canonical_url, title, text, text_hash, body_sha256, blocks, promo,
               promo_share, language, authors, published_at, published_precision, published_basis, access, genre,
               change_type, extractor
        FROM articles""",
    "companies": "SELECT company_id, name FROM companies",
    "mentions": """
        SELECT article_id, company_id, name, field, start, "end", surface, alias_kind, link_score, margin, role, in_ad
        FROM mentions""",
    "sentiments": """
        SELECT article_id, company_id, p_negative, p_neutral, p_positive, score, sentiment, mixed, hedged, relevance, in_headline
        FROM sentiments""",
    "evidence": "SELECT article_id, company_id, sentiment, words FROM evidence",
    "outcomes": f"""
        SELECT entry_id, revision, feed_id, title, url, kept, final, attempts, o.article_id,
               if(kept, NULL, detail) AS detail, if(kept, NULL, code) AS code,
               list_sort(list(code) OVER (PARTITION BY coalesce(story, entry_id))) AS codes_together
        FROM outcomes o LEFT JOIN (SELECT article_id, {_STORY} AS story FROM articles) USING (article_id)""",
}


def contents(lake: Path) -> dict[str, Counter[str]]:
    """Of each view its rows as text, and how often each is there."""
    with connect(lake) as con:
        return {view: Counter(map(repr, con.sql(query).fetchall())) for view, query in WHAT.items()}


def differences(one: dict[str, Counter[str]], other: dict[str, Counter[str]]) -> list[str]:
    """A line for each row that is in one of them alone, with the view and the side; empty where they are the same."""
    sides = [("<", view, one[view] - other[view]) for view in WHAT] + [(">", view, other[view] - one[view]) for view in WHAT]
    return [f"{side} {view}: {row}" for side, view, rows in sides for row in sorted(rows.elements())]
