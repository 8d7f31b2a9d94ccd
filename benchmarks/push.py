"""How long a pushed article takes until SQL shows it, through a real Airflow: from the hub's request to `available_at`.

An Airflow as `make run` starts it, with one feed of its own that is due once; `newsmill push`, into which 20 articles are pushed,
signed, one every 8 seconds. Each carries its text, so that no page is fetched. It needs about half a minute to start on a quiet
machine, and a directory `run/bench-push` in the checkout, which is removed.
"""

import hmac
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import Request, urlopen

from benchmarks.table import Line, Options, Table
from embedded.ports import is_free
from pipeline.lake import connect
from pipeline.push.subscriptions import Subscriptions
from pipeline.push.websub import Asked, Keys, Mode

CHECKOUT = Path(__file__).resolve().parents[1]
PUSHES, EVERY_S, LIMIT_S, PATIENCE_S = 20, 8.0, 15.0, 120.0
KEYS, TOPIC = Keys("a secret of the benchmark"), "https://pushed.example/feed"
SENTENCE = (
    "The board will present details when it reports results in February, and it kept the dividend at the level of last year."
)


def document(*names: str) -> bytes:
    """A feed whose articles stand in it, each with a text of its own."""
    items = "".join(
        f"<item><guid>{name}</guid><title>Siemens reports {name}</title><description>{name}: {SENTENCE} {name}. {SENTENCE} "
        f"{random.random()}</description></item>"
        for name in names
    )
    return f'<rss version="2.0"><channel><title>Pushed</title>{items}</channel></rss>'.encode()


class Publisher(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found = self.path == "/feed"
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(document("first") if found else b"")

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def free_port() -> int:
    return next(port for port in random.sample(range(20000, 30000), 200) if is_free(port))


@contextmanager
def running(place: Path) -> Iterator[str]:
    """Airflow with one feed, and a receiver; the receiver's address."""
    shutil.rmtree(CHECKOUT / "run" / "bench-push", ignore_errors=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Publisher)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    feed = f'feed_id = "pushed"\nurl = "http://127.0.0.1:{server.server_address[1]}/feed"\nlocal = true\nevery_minutes = 525600\n'
    (place / "bench-push.toml").write_text(f"[[feed]]\n{feed}")
    environ = {
        **os.environ,
        "NEWSMILL_INBOX": str(place / "inbox"),
        "NEWSMILL_PUSH_SECRET": KEYS.secret,
        "PYTHONPATH": str(CHECKOUT),
    }
    at, listen = free_port(), free_port()
    launcher = [sys.executable, "-m", "embedded", "--port", str(at), "--feeds", str(place / "bench-push.toml"), "--limit", "600"]
    receiver = [sys.executable, "-m", "pipeline", "push", "--port", str(listen)]
    with (place / "log").open("w") as log:
        started = subprocess.Popen(launcher, cwd=CHECKOUT, env=environ, stdout=log, stderr=log)
        listening = subprocess.Popen(receiver, cwd=place, env=environ, stdout=log, stderr=log)
        try:
            while "Ctrl-C" not in (said := (place / "log").read_text()).replace("logs in", ""):
                if started.poll() is not None or listening.poll() is not None:
                    raise RuntimeError(said)
                time.sleep(0.5)
            yield f"http://127.0.0.1:{listen}"
        finally:
            for process in (listening, started):
                process.send_signal(signal.SIGTERM)
                process.wait()
            server.shutdown()
            shutil.rmtree(CHECKOUT / "run" / "bench-push", ignore_errors=True)


def push(address: str, name: str) -> datetime:
    content = document(name)
    signature = hmac.new(KEYS.secret_of("pushed", TOPIC).encode(), content, "sha256").hexdigest()
    headers = {"Content-Type": "application/rss+xml", "X-Hub-Signature": f"sha256={signature}"}
    began = datetime.now(UTC)
    with urlopen(Request(f"{address}/pushed/{KEYS.token('pushed', TOPIC)}", content, headers)) as answer:  # noqa: S310
        assert answer.status == 202
    return began


def arrived(lake: Path) -> dict[str, datetime]:
    """From when SQL shows each pushed article."""
    with connect(lake) as con:
        rows = con.sql("SELECT e.key, min(a.available_at) FROM lake.articles a JOIN lake.entries e USING (entry_id) GROUP BY 1")
        return dict(rows.fetchall())


def measure(options: Options) -> Table:
    pushes = 1 if options.tiny else PUSHES
    names = [f"{number:02}" for number in range(pushes)]
    with tempfile.TemporaryDirectory() as held, running(place := Path(held)) as address:
        asked = Asked(feed_id="pushed", topic=TOPIC, hub="https://hub.example/", mode=Mode.SUBSCRIBE, at=datetime.now(UTC))
        Subscriptions(place / "inbox").note_asked(asked)
        sent = {}
        for name in names:
            sent[name] = push(address, name)
            time.sleep(0 if options.tiny else EVERY_S)
        until = time.monotonic() + PATIENCE_S
        while not sent.keys() <= (there := arrived(CHECKOUT / "run/bench-push/lake")).keys() and time.monotonic() < until:
            time.sleep(1)
    took = sorted((there[name] - sent[name]).total_seconds() for name in names)
    return Table(
        title=f"{pushes} pushed articles, to SQL through Airflow; load {os.getloadavg()[1]:.0f} on {os.cpu_count()} cores",
        lines=[
            Line(what="from the push to SQL", figure=statistics.median(took), unit="s"),
            Line(what="95th percentile", figure=took[int(0.95 * len(took)) - 1], unit="s", limit=LIMIT_S),
            Line(what="longest", figure=took[-1], unit="s"),
        ],
    )
