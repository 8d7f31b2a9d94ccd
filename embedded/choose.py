"""`make run FEEDS=…`: from whatever is said to a catalogue of one's own. Runs `newsmill feeds` where feeds are to be taken in."""

import os
import subprocess
import sys
from pathlib import Path


class Refused(Exception):
    """Nothing was started; the message says why and what to do."""


def own_catalogue(said: str, own: Path) -> Path:
    """The catalogue that is meant: a TOML file as it is; what else is said is first taken into `own`.

    That is an OPML file, a group or a feed of the shipped catalogue, or the address of a feed or a site.

    Raises:
        Refused: nothing of it could be taken in.
    """
    path = Path(said)
    if path.suffix.lower() in (".toml", ".opml") and not path.is_file() and "://" not in said:
        what = "catalogue" if path.suffix.lower() == ".toml" else "file"
        raise Refused(f"there is no {what} {path.resolve()}; to make a catalogue of your own: make run FEEDS=central-banks")
    if path.suffix.lower() == ".toml" and "://" not in said:
        return path.resolve()
    words = ["import", str(path.resolve())] if path.is_file() else ["add", *_named(said)]
    print(f"newsmill feeds {' '.join(words)}, into {own}", flush=True)
    asked = [sys.executable, "-m", "pipeline", "feeds", *words, "--catalogue", str(own)]
    ended = subprocess.run(asked, env={**os.environ, "NEWSMILL_RUN": str(own.parent / "run" / own.stem)}, check=False).returncode
    some_refused_of_a_group = ended == 1 and "--group" in words
    if not (ended == 0 or some_refused_of_a_group) or not own.is_file():
        can = "a .toml or OPML file, an address, a group (newsmill feeds list --offered)"
        raise Refused(f"FEEDS={said} could not be taken in; what can: {can}")
    return own


def _named(said: str) -> list[str]:
    """A group of the shipped catalogue, or anything else."""
    from pipeline.feeds import offered

    return ["--group", said] if said in {feed.group for feed in offered()} else [said]
