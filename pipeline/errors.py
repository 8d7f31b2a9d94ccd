"""Every error Newsmill raises on purpose; messages are lower-case and name the thing, the place and the remedy.

NewsmillError
├── ConfigError        settings or catalogue cannot be used
├── InputError         what a user passed to a command cannot be used
├── NotFound           the lake has nothing of what was asked for
├── LakeError          the lake cannot be used as it is
│   ├── LakeBusy       somebody else is writing
│   ├── LakeFormat     written by newer code
│   ├── DayClosed      the day of a batch is closed
│   ├── Overtaken      something was committed or taken down while a batch was decided
│   └── LossError      what came in is not what went out
├── QueryStopped       a stranger's SQL passed a limit
└── WorkerError        a parser in a worker process gave no answer
    ├── WorkerKilled   it passed its limit and was ended
    └── WorkerFailed   it met a case it cannot handle
"""


class NewsmillError(Exception):
    """Base of all errors that Newsmill raises on purpose."""


class ConfigError(NewsmillError):
    """Settings or catalogue cannot be used."""


class InputError(NewsmillError):
    """What a user passed to a command cannot be used."""


class NotFound(NewsmillError):
    """The lake has nothing of what was asked for, though it was asked for rightly."""


class LakeError(NewsmillError):
    """The lake cannot be used as it is."""


class LakeBusy(LakeError):
    """Somebody else is writing this stage of the lake; the message names the holder."""


class LakeFormat(LakeError):
    """The lake was written by newer code."""


class DayClosed(LakeError):
    """The day a batch was to be committed under is closed; its work is done again under a derived id."""


class Overtaken(LakeError):
    """Something a batch's decision rests on was committed, or taken down, before its commit; it is decided again."""


class LossError(LakeError):
    """What came in does not equal the outcomes; the message names what is missing."""


class QueryStopped(NewsmillError):
    """A stranger's SQL passed a limit of time, memory or size, or ended its process."""


class WorkerError(NewsmillError):
    """A parser in a worker process gave no answer."""


class WorkerKilled(WorkerError):
    """It passed its limit of time or memory and was ended."""


class WorkerFailed(WorkerError):
    """It raised something it should not have: a case the code does not know yet; the message names it."""
