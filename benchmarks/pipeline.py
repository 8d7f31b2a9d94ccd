"""What the pipeline costs beside trafilatura alone: from the bytes of feeds and pages to committed rows. Prints ratios.

Pages are made up (benchmarks/made_pages.py), or those of a directory (`--pages DIR`: .html and .html.gz). No server is asked: the
bytes are put where a fetch keeps them, and the batch goes on from there as after a restart. CPU is that of all processes from
the first import to the last commit, on either side; rounds alternate.

python -m benchmarks.pipeline [--pages DIR] [--rounds 5] [--tiny]
"""

import argparse
import gzip
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from html import escape
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

PAGES, MANY, ROUNDS, PER_FEED = 300, 5_000, 5, 15
CPU_LIMIT, MEMORY_LIMIT_MB = 1.5, 600
STAGES = ("import", "pull", "read", "tag")
ROOT = Path(__file__).parents[1]


def lay_out(pages: Iterator[tuple[str, bytes]], place: Path) -> int:
    """Writes pages, and a list of their addresses, to a directory; how many there are."""
    urls = []
    for n, (url, content) in enumerate(pages):
        (place / f"{n}.html").write_bytes(content)
        urls.append(url)
    (place / "urls.json").write_text(json.dumps(urls))
    return len(urls)


def pages_in(directory: Path, count: int) -> Iterator[tuple[str, bytes]]:
    found = sorted([*directory.glob("*.html"), *directory.glob("*.html.gz")])
    for n, path in enumerate(found[:count]):
        content = path.read_bytes()
        yield f"https://blatt-{n // PER_FEED}.example/{n}", gzip.decompress(content) if path.suffix == ".gz" else content


def made_up(count: int) -> Iterator[tuple[str, bytes]]:
    from benchmarks.made_pages import page

    yield from map(page, range(count))


def cpu() -> float:
    """CPU seconds of this process and of those it has waited for."""
    return sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def peer(place: Path) -> dict[str, Any]:
    """trafilatura with its defaults, and metadata."""
    from trafilatura import bare_extraction

    seconds, urls = {"import": cpu()}, json.loads((place / "urls.json").read_text())
    texts = [bare_extraction((place / f"{n}.html").read_bytes(), url=url, with_metadata=True) for n, url in enumerate(urls)]
    seconds["read"] = cpu() - seconds["import"]
    return {"seconds": seconds, "articles": sum(text is not None for text in texts)}


def ours(place: Path) -> dict[str, Any]:
    """One batch of all three stages, in a lake of its own."""
    from pipeline.lake import connect
    from pipeline.run import batch_id_of
    from pipeline.settings import Settings

    seconds, urls = {"import": cpu()}, json.loads((place / "urls.json").read_text())
    feeds = {f"blatt-{n // PER_FEED}": urls[n : n + PER_FEED] for n in range(0, len(urls), PER_FEED)}
    with tempfile.TemporaryDirectory() as lake, peak_memory() as peak:
        catalogue = Path(lake) / "feeds.toml"
        catalogue.write_text("".join(f'[[feed]]\nfeed_id = "{f}"\nurl = "https://{f}.example/feed"\n' for f in feeds))
        settings, batch_id = Settings(lake=Path(lake) / "lake", catalogue=catalogue, shards=1), batch_id_of(datetime.now(UTC))
        for stage, put in (("pull", partial(feed_bodies, feeds)), ("read", partial(page_bodies, urls, place)), ("tag", None)):
            before = cpu()
            run_stage(settings, stage, batch_id, put)
            seconds[stage] = cpu() - before
        with connect(settings.lake) as con:
            (counts,) = con.sql("SELECT (SELECT count(*) FROM articles), (SELECT count(*) FROM lake.taggings)").fetchall()
    return {"seconds": seconds, "articles": counts[0], "tagged": counts[1], "peak_mb": peak[0]}


def run_stage(settings: Any, stage: str, batch_id: str, put: Callable[[Any, Any], Iterator[Any]] | None) -> None:
    from pipeline.lake.layout import BatchRef, Lake
    from pipeline.lake.staging import keep
    from pipeline.run import settle, work_shard

    lake, batch = Lake(settings.lake), BatchRef(batch_id, stage)
    lake.open_for_writing()
    if put:
        with keep(lake, batch, "shard-0") as packs:
            for body in put(lake, batch):
                packs.add(body)
    work_shard(settings, stage, batch_id, 0, lambda _line: None)
    settle(settings, stage, batch_id, lambda _line: None)


def feed_bodies(feeds: dict[str, list[str]], _lake: Any, batch: Any) -> Iterator[Any]:
    from schemas import ids
    from schemas.web import Kind

    for feed, urls in feeds.items():
        items = "".join(f"<item><title>{escape(u)}</title><link>{escape(u)}</link><guid>{escape(u)}</guid></item>" for u in urls)
        content = f'<rss version="2.0"><channel><title>{feed}</title>{items}</channel></rss>'.encode()
        of = {"kind": Kind.FEED, "owner": ids.visit_id(batch.root, feed), "target": feed}
        yield answered(f"https://{feed}.example/feed", "text/xml", content, **of)


def page_bodies(urls: list[str], place: Path, lake: Any, batch: Any) -> Iterator[Any]:
    from pipeline.lake import connect
    from pipeline.lake.work import due_entries
    from schemas import ids
    from schemas.web import Kind

    with connect(lake.root) as con:
        due = {d.entry.url: d for d in due_entries(con, datetime.now(UTC))}
    for n, url in enumerate(urls):
        entry, content = due[url].entry, (place / f"{n}.html").read_bytes()
        page = ids.page_id(batch.root, entry.entry_id, entry.revision, 1)
        of = {"kind": Kind.PAGE, "owner": page, "target": entry.entry_id, "revision": entry.revision}
        yield answered(url, "text/html; charset=utf-8", content, **of)


def answered(url: str, content_type: str, content: bytes, **of: Any) -> Any:
    from schemas.web import Body, FetchCode, Header

    now = datetime.now(UTC)
    headers = (Header(name="content-type", value=content_type),)
    return Body(url=url, final_url=url, asked_at=now, answered_at=now, code=FetchCode.OK, status=200, headers=headers,
                sha256=sha256(content).hexdigest(), content=content, **of)  # fmt: skip


@contextmanager
def peak_memory() -> Iterator[list[float]]:
    """The most that this process and its children held at once, in MB, shared pages counted once; filled in at the end."""
    import psutil

    done, peak, this = threading.Event(), [0.0], psutil.Process()

    def look() -> None:
        while not done.wait(0.2):
            held = 0
            for process in (this, *this.children(recursive=True)):
                try:
                    held += process.memory_full_info().pss
                except psutil.Error:  # it has ended
                    continue
            peak[0] = max(peak[0], held / 2**20)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()


def in_process(side: str, place: Path) -> dict[str, Any]:
    """One side in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.pipeline", "--side", side, "--pages", str(place)]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def compare(place: Path, rounds: int) -> tuple[Table, float]:
    """CPU by stage beside trafilatura's, medians, and the ratio of the sums."""
    pairs = [(in_process("ours", place), in_process("peer", place)) for _ in range(rounds)]
    sums = [median(sum(side["seconds"].values()) for side in one) for one in zip(*pairs, strict=True)]
    table = Table("stage", "CPU, ms a page", "of trafilatura's", title=f"medians of {rounds}", title_justify="left")
    count = len(json.loads((place / "urls.json").read_text()))
    for stage in STAGES:
        spent = median(ours["seconds"][stage] for ours, _ in pairs)
        table.add_row(stage, f"{spent / count * 1000:.1f}", f"{spent / sums[1]:.2f}")
    table.add_row("all", f"{sums[0] / count * 1000:.1f}", f"{sums[0] / sums[1]:.2f}", style="bold")
    table.add_row("trafilatura alone", f"{sums[1] / count * 1000:.1f}", "1.00")
    (ours, theirs), *_ = pairs
    table.caption = (
        f"{count} pages; articles: ours {ours['articles']}, all tagged: {ours['tagged']}; trafilatura {theirs['articles']}"
    )
    return table, median(sum(o["seconds"].values()) / sum(p["seconds"].values()) for o, p in pairs)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=Path, help="a directory of pages instead of made-up ones")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--tiny", action="store_true", help="a few pages, to see that it runs")
    parser.add_argument("--side", choices=("ours", "peer"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        print(json.dumps({"ours": ours, "peer": peer}[given.side](given.pages)))
        return 0
    few, many = (10, 20) if given.tiny else (PAGES, MANY)
    console, kept = Console(), []
    with tempfile.TemporaryDirectory() as place:
        lay_out(pages_in(given.pages, few) if given.pages else made_up(few), Path(place))
        table, ratio = compare(Path(place), 1 if given.tiny else given.rounds)
        console.print(table)
        kept.append(ratio <= CPU_LIMIT)
        console.print(f"CPU {ratio:.2f} of trafilatura alone; limit {CPU_LIMIT}: {'kept' if kept[-1] else 'NOT KEPT'}")
    if not given.pages:
        with tempfile.TemporaryDirectory() as place:
            lay_out(made_up(many), Path(place))
            large = in_process("ours", Path(place))
        kept.append(large["peak_mb"] <= MEMORY_LIMIT_MB)
        told = f"memory over {many:,} pages in one batch {large['peak_mb']:.0f} MB"
        console.print(f"{told}; limit {MEMORY_LIMIT_MB}: {'kept' if kept[-1] else 'NOT KEPT'}")
    return 0 if all(kept) or given.tiny else 1


if __name__ == "__main__":
    sys.exit(main())
