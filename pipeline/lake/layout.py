"""Where things lie in a lake directory, and what may be written there at all. Touches nothing but the format file.

format.json                                  version of the layout
hot/date=D/<batch>-<stage>/<table>.parquet   committed batches, each placed whole by one rename
hot/date=1970-01-01/schema/<table>.parquet   no rows: gives every table its columns, also before its first row
raw/date=D/<batch>-<stage>/<pack>.parquet    raw bytes of feeds and pages (table bodies)
staging/<batch>-<stage>/                     finished shards of a batch that is not committed yet
locks/<stage>.json                           who is writing
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.errors import InputError, LakeError, LakeFormat
from pipeline.lake.durable import write_file
from schemas import LAKE_FORMAT

_BATCH = re.compile(r"\d{8}T\d{6}(\d{3})?Z(\.\d+)?")
STAGES = ("pull", "read", "tag")


@dataclass(frozen=True, slots=True)
class BatchRef:
    """One pass of one stage: the unit that is committed whole."""

    batch_id: str
    stage: str

    def __post_init__(self) -> None:
        if not _BATCH.fullmatch(self.batch_id) or self.stage not in STAGES:
            raise InputError(
                f"no batch {self.batch_id!r} of stage {self.stage!r}: "
                f"a batch id is like 20261123T014200Z, a stage one of {STAGES}"
            )

    @property
    def name(self) -> str:
        return f"{self.batch_id}-{self.stage}"

    @property
    def date(self) -> str:
        """The batch's own date, whatever the clock says when it is committed."""
        return f"{self.batch_id[:4]}-{self.batch_id[4:6]}-{self.batch_id[6:8]}"

    @property
    def root(self) -> str:
        """The batch id without the number of a derived one; raw bytes and the ids of rows rest on it."""
        return self.batch_id.partition(".")[0]

    def derived(self, number: int) -> "BatchRef":
        """What of a batch was finished after the rest of it had been committed."""
        return BatchRef(f"{self.root}.{number}", self.stage)

    @staticmethod
    def parse(name: str) -> "BatchRef | None":
        """The batch of a directory's name; None for any other name."""
        batch_id, _, stage = name.rpartition("-")
        return BatchRef(batch_id, stage) if _BATCH.fullmatch(batch_id) and stage in STAGES else None


def batch_id_of(moment: datetime) -> str:
    """The id of a batch that was started by hand at this moment."""
    moment = moment.astimezone(UTC)
    return f"{moment:%Y%m%dT%H%M%S}{moment.microsecond // 1000:03d}Z"


@dataclass(frozen=True, slots=True)
class Lake:
    """A lake directory."""

    root: Path

    def hot(self, batch: BatchRef) -> Path:
        return self.root / "hot" / f"date={batch.date}" / batch.name

    def raw(self, batch: BatchRef) -> Path:
        return self.root / "raw" / f"date={batch.date}" / f"{batch.root}-{batch.stage}"

    def staging(self, batch: BatchRef) -> Path:
        return self.root / "staging" / batch.name

    def evolved(self) -> set[str]:
        """The tables that got a column after their first file."""
        path = self.root / "evolved.json"
        return set(json.loads(path.read_text())) if path.exists() else set()

    def schema_files(self, tree: str) -> Path:
        return self.root / tree / "date=1970-01-01" / "schema"

    def check(self) -> None:
        """Raises LakeError where there is no lake, LakeFormat where newer code wrote it."""
        try:
            found = json.loads((self.root / "format.json").read_text())["format"]
        except FileNotFoundError:
            raise LakeError(f"no lake at {self.root}: name another with --lake, or fill this one with `newsmill run`") from None
        except (ValueError, KeyError, TypeError) as e:
            raise LakeError(f'{self.root / "format.json"} is damaged ({e}); it should hold {{"format": {LAKE_FORMAT}}}') from e
        if found > LAKE_FORMAT:
            raise LakeFormat(
                f"the lake at {self.root} has format {found}, this Newsmill reads up to {LAKE_FORMAT}: update Newsmill"
            )

    def open_for_writing(self) -> None:
        """Makes the lake where there is none, else checks that it may be written."""
        path = self.root / "format.json"
        if self.root.exists() and not self.root.is_dir():
            raise LakeError(f"{self.root} is no directory; name the lake's directory with --lake")
        if not path.exists():
            if (self.root / "hot").exists():
                raise LakeError(f"{self.root} holds batches but no format.json; restore it before anything is written")
            write_file(path, json.dumps({"format": LAKE_FORMAT}).encode())
        self.check()
