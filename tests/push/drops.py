"""Documents as people and publishers hand them in, each long enough to be read as an article."""

import json

from tests.run.publisher import MORE, page_of

TEXT = "\n".join(f"{lead} {MORE}" for lead in ("Siemens raised its forecast on Monday.", "Orders rose 12 percent."))
PAGE = page_of(
    "SAP cuts its outlook",
    "SAP cut its outlook for the year.",
    "Margins fell.",
    head='<link rel="canonical" href="https://news.example/sap-outlook"><script>var a = 1</script>',
)
ARTICLE = {
    "url": "https://wire.example/siemens?utm_source=x",
    "title": "Siemens raises its forecast",
    "text": TEXT,
    "published_at": "2026-11-23T08:00:00Z",
    "language": "en",
    "source": "Example Wire",
    "authors": ["Jo Doe"],
}
LINES = "\n".join(
    json.dumps(
        {
            **ARTICLE,
            "url": f"https://lines.example/{name}",
            "title": f"{name} reports",
            "text": f"{name} says so.\n{MORE * 3}",
            "source": None,
        }
    )
    for name in ("BASF", "Bayer")
)
ITEM = "<item><guid>{0}</guid><title>{0} hands over jets</title><description>{1}</description></item>"


def feed(*names: str) -> str:
    """A feed whose items lead nowhere, so that nobody need be asked for them."""
    items = "".join(ITEM.format(name, f"{name} delivered. {MORE * 3}") for name in names)
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>T</title><link>https://jets.example/</link>{items}</channel></rss>'


DROPS = {
    "feed.xml": feed("Boeing", "Airbus"),
    "page.html": PAGE,
    "article.json": json.dumps(ARTICLE),
    "lines.jsonl": LINES,
}
RUBBISH = {
    "empty.xml": ("", "empty body"),
    "half.json": ('{"url": "https://x.example/", ', "not JSON"),
    "list.json": ("[]", "no article in it"),
    "file.json": ('{"url": "file:///etc/passwd", "title": "x"}', "url is 'file:///etc/passwd'"),
    "types.json": ('{"title": 5, "text": "x"}', "title is int"),
    "nothing.json": ('{"title": "A headline alone"}', "neither url nor text"),
    "blank.html": ("<html><head><title>x</title></head><body></body></html>", "without words"),
    "words.txt": ("only words", "neither XML nor HTML; drop a feed, an HTML page or articles as JSON"),
    "url.push": ("url: nonsense\n\n<rss/>", "url is 'nonsense'"),
    "head.push": ("<rss/>", "a letter begins with lines"),
    "said.push": ("colour: red\n\n<rss/>", "says nothing that a letter may say"),
}
