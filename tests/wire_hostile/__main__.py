"""Serves the hostile wire and lists its addresses, or puts mutated feeds through the parser.

python -m tests.wire_hostile [serve] [--port PORT]
python -m tests.wire_hostile mutated [--count 100000] [--seed 7] [--feeds DIR]
"""

import argparse
import contextlib
import sys
import threading
import time
from pathlib import Path

from pipeline.isolate import Workers
from tests.wire_hostile.mutated import run, seeds
from tests.wire_hostile.server import address, all_cases, hostile_wire


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.wire_hostile", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("what", nargs="?", choices=["serve", "mutated"], default="serve")
    parser.add_argument("--port", type=int, default=8798)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--feeds", type=Path, help="a directory of feeds (.xml) to change, besides our own")
    told = parser.parse_args()
    return _mutated(told.count, told.seed, told.feeds) if told.what == "mutated" else _serve(told.port)


def _serve(port: int) -> int:
    cases = all_cases()
    with hostile_wire(cases, port) as site:
        for case in cases:
            print(f"{address(case, site.port):76.76} {case.outcome:18} {case.how}")
        print(f"{len(cases)} cases on 127.0.0.1:{site.port}; Ctrl-C ends it", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
    return 0


def _mutated(count: int, seed: int, feeds: Path | None) -> int:
    of = seeds() + ([path.read_bytes() for path in sorted(feeds.glob("*.xml"))] if feeds else [])
    began = time.monotonic()
    with Workers(1) as workers:
        told = run(count, seed, of, workers)
    ends = ", ".join(f"{n} {code}" for code, n in told.ends.most_common())
    print(f"{count} feeds, seed {seed}, {time.monotonic() - began:.0f} s: {ends}; {len(told.escapes)} escapes")
    print(f"slowest: {told.slowest[0]:.2f} s of CPU (number {told.slowest[1]}); memory grew by {told.grown_mb:.0f} MB")
    print("\n".join(told.escapes[:20]))
    return 1 if told.escapes else 0


if __name__ == "__main__":
    sys.exit(main())
