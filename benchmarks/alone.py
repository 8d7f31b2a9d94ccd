"""What trafilatura alone costs: in a module that imports nothing of ours, so that its process runs nothing of ours."""

import gzip
import resource
from multiprocessing.connection import Connection
from pathlib import Path


def cpu() -> float:
    """Seconds of CPU of this process and of its children that have ended."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(u.ru_utime + u.ru_stime for u in used)


def trafilatura_alone(files: list[str], results: Connection) -> None:
    """trafilatura alone on every page; sends seconds of CPU."""
    from trafilatura import bare_extraction

    seconds = 0.0
    for file in files:
        content = Path(file).read_bytes()
        content = gzip.decompress(content) if file.endswith(".gz") else content
        began = cpu()
        bare_extraction(content, with_metadata=True)
        seconds += cpu() - began
    results.send(("done", seconds))
