"""What a URL key costs, against courlan.clean_url over the same addresses in the same run: CPU, in turn."""

import time
from collections.abc import Callable
from statistics import median

from courlan import clean_url

from benchmarks.table import Line, Options, Table
from pipeline.dedupe import url_key

SHAPES = (
    "https://www.blatt{n}.example/wirtschaft/dax-schliesst-im-plus-{n}.html?utm_source=rss&utm_medium=feed",
    "http://ticker{n}.example:8080/news/story.php?id={n}&lang=de&wt_mc=rss.start",
    "https://daily{n}.example/2026/03/markets-close-higher-{n}/amp/",
    "https://kurier{n}.example/m%c3%a4rkte/ausblick-für-{n}/?cmpid=feed#kommentare",
    "https://wire{n}.example/{n}",
)
MANY, ROUNDS = 20_000, 5


def microseconds_each(clean: Callable[[str], object], urls: list[str]) -> float:
    began = time.process_time()
    for url in urls:
        clean(url)
    return (time.process_time() - began) / len(urls) * 1e6


def measure(options: Options) -> Table:
    count = 50 if options.tiny else MANY // len(SHAPES)
    urls = [shape.format(n=n) for n in range(count) for shape in SHAPES]
    pairs = [(microseconds_each(url_key, urls), microseconds_each(clean_url, urls)) for _ in range(ROUNDS)]
    ours, theirs = (median(column) for column in zip(*pairs, strict=True))
    line = Line(what="url_key", figure=ours, unit="µs", peer=theirs, limit=1.0)
    return Table(title=f"CPU of a URL key, {len(urls)} addresses, {ROUNDS} rounds in turn", against="clean_url", lines=[line])
