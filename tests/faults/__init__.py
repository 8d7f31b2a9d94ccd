"""Proof that nothing is lost, doubled, partial or early, whatever is killed, fails or stops: `make faults`.

Each case is a lake of its own in a directory, with real processes that write, close and read it. Days pass by a shared clock.
What the readers saw is checked against what was acknowledged; `history.py` says what must never be. A few things are not tried:
two closers where the file system has no locks, a writer stopped between its last check and the mark that its time is settled
(see docs/decisions/0002), damage by the disk itself, and directory listings that fail inside a person's DuckDB.
"""
