"""The numbers of the rules, the same for both languages. Pure.

Chosen on the training parts of SEntFiN (MIT) and FinEntity (ODC-BY) together with the project's own sentences.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Weights:
    """How much a cue counts, where it stands, and how evidence becomes three probabilities."""

    reach: float = 12.0  # tokens after which a cue counts half
    foreign_clause: float = 0.3  # the cue stands in a clause that names somebody else
    other_clause: float = 0.9  # the cue stands in another clause, which names nobody
    comma: float = 0.65  # a comma lies between
    rival: float = 0.55  # somebody else is named between
    taken: float = 0.35  # somebody else is the cue's subject
    conceded: float = 0.16  # after "despite", "trotz", "although"
    attributed: float = 0.05  # the name is the source of the statement
    speaking: float = 0.35  # the name says it, of itself or of others
    hedged: float = 0.8
    asked: float = 0.5  # a question follows
    negated: float = -1.0
    percent: float = 1.5
    slight: float = 0.28
    bad_noun: float = 0.75
    lean: float = 5.7  # pull of evidence towards its own side
    push: float = 0.6  # push of evidence away from the other side
    still: float = 2.35  # the logit of neutral


WEIGHTS = Weights()
