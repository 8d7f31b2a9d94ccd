"""Serves the hostile wire and lists its addresses: `python -m tests.wire_hostile [--port PORT]`."""

import argparse
import contextlib
import threading

from tests.wire_hostile.server import address, all_cases, hostile_wire


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.wire_hostile", description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--port", type=int, default=8798)
    told = parser.parse_args()
    cases = all_cases()
    with hostile_wire(cases, told.port) as site:
        for case in cases:
            print(f"{address(case, site.port):70.70} {case.outcome:18} {case.how}")
        print(f"{len(cases)} cases on 127.0.0.1:{site.port}; Ctrl-C ends it", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
