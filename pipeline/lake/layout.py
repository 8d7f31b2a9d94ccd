"""Where things lie in a lake directory, and what may be written there at all. Touches nothing but the format file.

format.json                                  version of the layout
watermark.json                               the days, and the months, that are closed
closed/<day or month>.json                   what a closing took and what it wrote
cold/<table>/date=D/data.parquet             closed days, one file per table
cold/<table>/month=M/data.parquet            closed months of the narrow tables, in place of their days
hot/date=D/<batch>-<stage>/<table>.parquet   committed batches, each placed whole by one rename
*/date=1970-01-01/…                          no rows: gives every table its columns, also before its first row
deleted.parquet                              through when hot days and cold days of narrow tables are deleted
news.duckdb                                  views and macros over all of it, for any DuckDB
raw/date=D/<batch>-<stage>/<pack>.parquet    raw bytes of feeds and pages (table bodies)
staging/<batch>-<stage>/                     finished shards of a batch that is not committed yet
search/<month>/                              an index of its articles' words, which can be made anew at any time
health.json                                  which alarms were told of, and since when they are known
erased.json                                  which tombstones have been carried out on the files
replay.json                                  what a lake that is replayed is made from: the old lake, the days, the code
locks/<stage>.json                           who is writing
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from pipeline.errors import InputError, LakeError, LakeFormat
from pipeline.lake.durable import write_file
from pipeline.s3 import place_of
from schemas import LAKE_FORMAT

_BATCH = re.compile(r"\d{8}T\d{6}(\d{3})?Z(\.\d+)?")
STAGES = ("pull", "read", "tag")
#: The stage beside pull, for what comes by itself.
PUSH = "push"
#: Whoever commits: the stages, and takedown. The closer moves days that have been committed. Push comes before pull, in whose
#: guard it commits: whoever needs both takes them in this order.
COMMITTING = (PUSH, *STAGES, "forget")
CLOSER = "close"
#: No day of its own: here lie files without rows.
SCHEMA_DAY = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class BatchRef:
    """One pass of one stage: the unit that is committed whole."""

    batch_id: str
    stage: str

    def __post_init__(self) -> None:
        if not (_BATCH.fullmatch(self.batch_id) and _moment(self.batch_id) and self.stage in (*COMMITTING, CLOSER)):
            raise InputError(
                f"no batch {self.batch_id!r} of stage {self.stage!r}: "
                f"a batch id is like 20261123T014200Z, a stage one of {STAGES}"
            )

    @property
    def name(self) -> str:
        return f"{self.batch_id}-{self.stage}"

    @property
    def began(self) -> datetime:
        """The moment its id names."""
        moment = _moment(self.root)
        assert moment is not None, "checked when it was made"
        return moment

    @property
    def date(self) -> date:
        """The batch's own date, whatever the clock says when it is committed."""
        return self.began.date()

    @property
    def number(self) -> int:
        """1, or the number of a derived batch."""
        return int(self.batch_id.partition(".")[2] or 1)

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
        try:
            return BatchRef(batch_id, stage) if stage in COMMITTING else None
        except InputError:
            return None


def _moment(batch_id: str) -> datetime | None:
    digits = batch_id.partition(".")[0].rstrip("Z").replace("T", "")
    try:
        return datetime.strptime(digits.ljust(20, "0"), "%Y%m%d%H%M%S%f").replace(tzinfo=UTC)
    except ValueError:
        return None


def batch_id_of(moment: datetime) -> str:
    """The id of a batch that was started by hand at this moment."""
    moment = moment.astimezone(UTC)
    return f"{moment:%Y%m%dT%H%M%S}{moment.microsecond // 1000:03d}Z"


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Lake:
    """A lake, in a directory or in S3."""

    root: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", place_of(self.root))

    def hot(self, batch: BatchRef, day: date | None = None) -> Path:
        """Where a batch is committed: under its own date, or a later day once that one is closed."""
        return self.hot_day(day or batch.date) / batch.name

    def hot_day(self, day: date) -> Path:
        return self.root / "hot" / f"date={day}"

    def cold(self, table: str, period: date | str) -> Path:
        """The file of a table's closed day, or of its closed month (`2026-11`)."""
        key = "month" if isinstance(period, str) else "date"
        return self.root / "cold" / table / f"{key}={period}" / "data.parquet"

    def days(self, tree: str = "hot") -> list[date]:
        """The days that have a directory in a tree, oldest first."""
        found = (_day(p.name.removeprefix("date=")) for p in (self.root / tree).glob("date=*"))
        return sorted(day for day in found if day and day != SCHEMA_DAY)

    def raw(self, batch: BatchRef) -> Path:
        return self.root / "raw" / f"date={batch.date}" / f"{batch.root}-{batch.stage}"

    def staging(self, batch: BatchRef) -> Path:
        return self.root / "staging" / batch.name

    def evolved(self) -> set[str]:
        """The tables that got a column after their first file."""
        try:
            return set(json.loads((self.root / "evolved.json").read_text()))
        except FileNotFoundError:
            return set()

    def schema_files(self, tree: str) -> Path:
        return self.root / tree / f"date={SCHEMA_DAY}" / "schema"

    def check(self) -> int:
        """The lake's format; raises LakeError where there is no lake, LakeFormat where newer code wrote it."""
        try:
            found: int = json.loads((self.root / "format.json").read_text())["format"]
        except FileNotFoundError:
            raise LakeError(f"no lake at {self.root}: name another with --lake, or fill this one with `newsmill run`") from None
        except NotADirectoryError:
            raise LakeError(
                f"no lake at {self.root}: it is a file, or lies below one; name a lake's directory with --lake"
            ) from None
        except (ValueError, KeyError, TypeError) as e:
            raise LakeError(f'{self.root / "format.json"} is damaged ({e}); it should hold {{"format": {LAKE_FORMAT}}}') from e
        if found > LAKE_FORMAT:
            raise LakeFormat(
                f"the lake at {self.root} has format {found}, this Newsmill reads up to {LAKE_FORMAT}: update Newsmill"
            )
        return found

    def open_for_writing(self) -> None:
        """Makes the lake where there is none, else checks that it may be written."""
        path = self.root / "format.json"
        if not path.is_file():
            if self.root.exists() and not self.root.is_dir():
                raise LakeError(f"{self.root} is no directory; name the lake's directory with --lake")
            if (self.root / "hot").exists():
                raise LakeError(f"{self.root} holds batches but no format.json; restore it before anything is written")
            write_file(path, json.dumps({"format": LAKE_FORMAT}).encode())
        if self.check() < LAKE_FORMAT:
            write_file(path, json.dumps({"format": LAKE_FORMAT}).encode())  # what older code wrote is read as it is
