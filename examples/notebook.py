"""A marimo notebook over the lake: a company by day, and what one article says of it with the words that rests on.

marimo edit examples/notebook.py      # or `marimo run`; NEWSMILL_LAKE names another lake than the sample wire's
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium")


@app.cell
def _():
    import marimo as mo

    from pipeline.lake import connect

    con = connect()
    return con, mo


@app.cell
def _(con, mo):
    companies = con.sql("""
        select name, company_id, count(distinct story_id) as stories
        from sentiments join companies using (company_id) join articles using (version_id)
        where relevance >= 0.5 group by all order by stories desc, name
    """).pl()
    pick = mo.ui.dropdown(dict(companies.select("name", "company_id").rows()), value=companies["name"][0], label="company")
    mo.hstack([pick])
    return companies, pick


@app.cell
def _(con, mo, pick):
    by_day = con.sql(
        """
        select cast(least(coalesce(published_at, seen_at), seen_at) as date) as day, count(distinct story_id) as stories,
               round(sum(score * relevance) / sum(relevance), 2) as mood, bar(mood, -1, 1, 20) as picture,
               arg_max(title, relevance) as most
        from sentiments join articles using (version_id)
        where company_id = $company and relevance >= 0.5 group by all order by day desc
        """,
        params={"company": pick.value},
    ).pl()
    mo.vstack([mo.md(f"## {pick.selected_key} by day"), by_day])
    return (by_day,)


@app.cell
def _(con, mo, pick):
    article = con.sql(
        """
        select version_id, title, source, url, score from sentiments join articles using (version_id)
        where company_id = $company and len(evidence) > 0 order by relevance desc, seen_at desc limit 1
        """,
        params={"company": pick.value},
    ).pl()
    evidence = con.sql(
        "select sentiment, score, field, words from evidence where version_id in $versions and company_id = $company",
        params={"versions": article["version_id"].to_list(), "company": pick.value},
    ).pl()
    mo.vstack([mo.md("## An article, and the words that its score rests on"), article, evidence])
    return article, evidence


if __name__ == "__main__":
    app.run()
