"""Runs benchmarks one after the other, each at most five minutes, and prints a table for each: `python -m benchmarks [PART …]`.

A part is one benchmark or a room's benchmarks. Exits with 1 where a limit is not kept, or one failed or ran over its time.
"""

import argparse
import sys
import time
from pathlib import Path

from benchmarks.capped import measured
from benchmarks.table import Options, as_json, as_text

CAP_S = 300.0
ROOMS = {
    "pipeline": ("cpu", "memory"),
    "lake": ("asked", "s3", "hostile", "hot_batches", "closed_month", "commits"),
    "tag": ("linking",),
    "dedupe": ("url_key",),
    "search": ("search",),
    "fetch": ("parsing", "fetching"),
    "feeds": ("week",),
    "airflow": ("push",),
}


def main() -> int:
    told = _arguments()
    options = Options(tiny=told.tiny, pages=told.pages, days=told.days)
    names = [name for part in told.parts or ROOMS for name in ROOMS.get(part, (part,))]
    return max([_shown(name, options, told.cap, as_lines=told.json) for name in dict.fromkeys(names)])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=(__doc__ or "").partition("\n")[0])
    single = [name for names in ROOMS.values() for name in names]
    parser.add_argument("parts", nargs="*", metavar="PART", choices=[[], *ROOMS, *single], help=", ".join([*ROOMS, *single]))
    parser.add_argument("--tiny", action="store_true", help="only show that it runs: figures mean nothing")
    parser.add_argument("--pages", type=Path, metavar="DIR", help="read the pages of a directory (.html, .html.gz)")
    parser.add_argument("--days", type=int, default=Options().days, help="days of closed_month (default %(default)s)")
    parser.add_argument("--cap", type=float, default=CAP_S, metavar="SECONDS", help="of wall time a benchmark may take")
    parser.add_argument("--json", action="store_true", help="one line of JSON for each benchmark")
    return parser.parse_args()


def _shown(name: str, options: Options, cap: float, *, as_lines: bool) -> int:
    began = time.perf_counter()
    found = measured(name, options, cap)
    if isinstance(found, str):
        print(f"{name}: {found}\n", file=sys.stderr, flush=True)
        return 1
    told = as_json(found) if as_lines else f"{name}, {time.perf_counter() - began:.0f} s: {as_text(found)}\n"
    print(told, flush=True)
    return 0 if found.kept or options.tiny else 1


if __name__ == "__main__":
    sys.exit(main())
