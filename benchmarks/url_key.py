"""What a URL key costs, against courlan.clean_url over the same addresses in the same run.

python benchmarks/url_key.py
"""

import time
from collections.abc import Callable
from statistics import median

from courlan import clean_url

from pipeline.dedupe import url_key

SHAPES = (
    "https://www.blatt{n}.example/wirtschaft/dax-schliesst-im-plus-{n}.html?utm_source=rss&utm_medium=feed",
    "http://ticker{n}.example:8080/news/story.php?id={n}&lang=de&wt_mc=rss.start",
    "https://daily{n}.example/2026/03/markets-close-higher-{n}/amp/",
    "https://kurier{n}.example/m%c3%a4rkte/ausblick-für-{n}/?cmpid=feed#kommentare",
    "https://wire{n}.example/{n}",
)
URLS = [shape.format(n=n) for n in range(4_000) for shape in SHAPES]
ROUNDS = 5


def microseconds_each(clean: Callable[[str], object]) -> float:
    started = time.perf_counter()
    for url in URLS:
        clean(url)
    return (time.perf_counter() - started) / len(URLS) * 1e6


def main() -> None:
    pairs = [(microseconds_each(url_key), microseconds_each(clean_url)) for _ in range(ROUNDS)]
    ours, theirs = (median(column) for column in zip(*pairs, strict=True))
    ratio = median(a / b for a, b in pairs)
    print(
        f"url_key {ours:.1f} µs, courlan.clean_url {theirs:.1f} µs, ratio {ratio:.2f} (median of {ROUNDS}, {len(URLS)} addresses)"
    )


if __name__ == "__main__":
    main()
