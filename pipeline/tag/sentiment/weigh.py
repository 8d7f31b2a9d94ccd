"""How much each cue of a sentence is about one name: clauses, other names between, subject and object, sources. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.tag.sentiment.cues import Cue, Sentence, names_in
from pipeline.tag.sentiment.weights import WEIGHTS

_JOINTS = frozenset(
    {",", "&", "/", "and", "und", "or", "oder", "sowie", "tochter", "mutter", "parent", "unit", "subsidiary", "owner"}
)
_DIRECTIONS = frozenset({"up", "down"})
_GAP = frozenset({",", "and", "und", "sowie", "um", "by", "auf", "to", "euro", "dollar", "points", "punkte"})


@dataclass(frozen=True, slots=True)
class Weighed:
    """One cue as it bears on somebody: its signed weight."""

    cue: Cue
    weight: float


def weigh(sentence: Sentence, index: int | None) -> list[Weighed]:
    """The cues that bear on the name with this index, or on the sentence as a whole (None)."""
    if index is None:
        return [Weighed(cue, _general(cue)) for cue in sentence.cues]
    names = names_in(sentence)
    target = names[index]
    group = _group(sentence, names, target)
    rivals = [at for at in names if at not in group and not (at and "attribution_before" in sentence.kinds[at - 1])]
    source = _source(sentence, target, group[0], rivals)
    found = [Weighed(cue, source * _bearing(sentence, cue, target, group, rivals)) for cue in sentence.cues]
    return [weighed for weighed in found if abs(weighed.weight) > 0.02]


def _bearing(sentence: Sentence, cue: Cue, target: int, group: list[int], rivals: list[int]) -> float:
    if _carried(sentence, cue, group):
        return cue.side * _doubt(cue)
    said = _said(sentence, cue, target, rivals)
    if cue.roles or said == -cue.side or cue.about_target_price:  # these name both sides, so nobody stands between
        rivals = [at for at in rivals if sentence.clause[at] != sentence.clause[target]]
    return said * _pull(sentence, cue, group, rivals)


def _carried(sentence: Sentence, cue: Cue, group: list[int]) -> bool:
    """Only a number follows the name, and the verb before says what it is: "X fell 3 percent and Y 4"."""
    between = sentence.tokens[cue.last + 1 : group[0]]
    following = [token for token in sentence.tokens[group[-1] + 1 : group[-1] + 3] if token.text not in _GAP]
    after = group[-1] + 1
    return (
        cue.last < group[0]
        and bool(following)
        and following[0].kind == "number"
        and (bool(sentence.kinds[cue.first] & _DIRECTIONS) or sentence.tokens[cue.last].text in sentence.lexicon.separable)
        and any(token.kind == "number" for token in sentence.tokens[cue.first : group[0]])
        and all(token.kind in {"number", "name"} or token.text in _GAP for token in between)
        and not any(after < other.first <= after + 2 for other in sentence.cues)
    )


def _general(cue: Cue) -> float:
    side = cue.side or (max(cue.roles, key=abs) if cue.roles else 0.0)
    return side * _doubt(cue)


def _doubt(cue: Cue) -> float:
    return (WEIGHTS.hedged if cue.hedged else 1.0) * (WEIGHTS.conceded if cue.conceded else 1.0)


def _group(sentence: Sentence, names: Sequence[int], target: int) -> list[int]:
    """The names listed together with the target: "Metals, banks and X"."""
    groups: list[list[int]] = []
    for at in names:
        listed = groups and all(sentence.tokens[k].text in _JOINTS for k in range(groups[-1][-1] + 1, at))
        if listed:
            groups[-1].append(at)
        else:
            groups.append([at])
    return next(group for group in groups if target in group)


def _pull(sentence: Sentence, cue: Cue, group: list[int], rivals: list[int]) -> float:
    """How near the cue is to the name: distance, clauses, commas, names between, another subject."""
    left = cue.first < group[0]
    a, b = (cue.last, group[0]) if left else (group[-1], cue.first)
    factor = _doubt(cue) / (1 + max(0, b - a - 1) / WEIGHTS.reach)
    here, there = sentence.clause[group[0]], sentence.clause[cue.first]
    if here != there:
        foreign = any(sentence.clause[at] == there for at in rivals)
        factor *= WEIGHTS.foreign_clause if foreign else WEIGHTS.other_clause
    elif any(sentence.tokens[at].text == "," for at in range(a, b)) and not _participial(sentence, cue):
        factor *= WEIGHTS.comma
    factor *= WEIGHTS.rival ** min(2, sum(a < at < b for at in rivals))
    if (
        left
        and cue.last + 1 < group[0]
        and not cue.roles
        and any(at < cue.last and sentence.clause[at] == there for at in rivals)
    ):
        factor *= WEIGHTS.taken
    return factor


def _participial(sentence: Sentence, cue: Cue) -> bool:
    """It goes on about the subject: "X adds users, topping forecasts"."""
    return cue.first > 1 and sentence.tokens[cue.first - 1].text == "," and sentence.tokens[cue.first].text.endswith("ing")


def _said(sentence: Sentence, cue: Cue, target: int, rivals: list[int]) -> float:
    """What the cue says of this name, by its part in the sentence."""
    before = sentence.kinds[target - 1] if target else frozenset()
    if cue.roles:
        return _role(sentence, cue, target, rivals)
    ceded = "receiver" in before and any("ceding" in sentence.kinds[at] for at in range(cue.first, cue.last + 1))
    return -cue.side if ceded and cue.last < target else cue.side


def _role(sentence: Sentence, cue: Cue, target: int, rivals: list[int]) -> float:
    subject, patient = cue.roles or (0.0, 0.0)
    if _agent(sentence, target):
        return subject
    if target > cue.first:
        return patient
    by = any(_agent(sentence, at) for at in rivals)
    following = cue.last + 1
    ends = following >= len(sentence.tokens) or sentence.tokens[following].kind == "mark"
    helped = cue.first > 0 and any("passive" in sentence.kinds[at] for at in range(max(0, cue.first - 3), cue.first))
    participle = sentence.tokens[cue.first].text.endswith("ed")
    intransitive = ends or "preposition" in sentence.kinds[following]
    by = by or (participle and not ends and "agent" in sentence.kinds[following])
    if by or helped or (participle and intransitive and not any(at > cue.first for at in rivals)):
        return patient
    return subject or (cue.side if not any(at > cue.first for at in rivals) else 0.0)


def _agent(sentence: Sentence, name: int) -> bool:
    """The name does it: "by X", "durch X", and "von X" in a passive sentence."""
    before = sentence.kinds[name - 1] if name else frozenset()
    passive = "agent_of_passive" in before and any("passive" in kinds for kinds in sentence.kinds)
    return "agent" in before or passive


def _after_colon(sentence: Sentence, target: int) -> bool:
    """Only a colon and words that say nothing (a person's name) stand before: "Profits to rise: A. Writer, X"."""
    for at in range(target - 1, max(0, target - 6), -1):
        if sentence.tokens[at].text == ":":
            return True
        if sentence.kinds[at]:
            return False
    return False


def _source(sentence: Sentence, target: int, head: int, rivals: list[int]) -> float:
    """Less than 1 where the name is who speaks or rates, not who is spoken of."""
    kinds, last = sentence.kinds, len(sentence.tokens) - 1
    before = kinds[head - 1] if head else frozenset()
    after = kinds[target + 1] if target < last else frozenset()
    closing = target >= last - 1 and _after_colon(sentence, head)
    if closing or "attribution_before" in before:
        return WEIGHTS.attributed
    later = [at for at in rivals if at > target]
    rates = any("rating_verb" in kinds[at] for at in range(target + 1, min(last, target + 3) + 1))
    passive = any(_agent(sentence, at) for at in later)
    priced = any(cue.about_target_price and target < cue.first < target + 4 for cue in sentence.cues)
    if later and not passive and (rates or priced):
        return WEIGHTS.attributed
    if rivals and "rater" in after:
        return WEIGHTS.attributed
    return WEIGHTS.speaking if "attribution" in after else 1.0
