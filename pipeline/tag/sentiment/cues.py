"""Which words of a sentence speak for or against somebody: direction × noun, events, roles, negation, hedges. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import itemgetter

from pipeline.tag.sentiment.lexicon import NOTHING, Lexicon, Roles, lexicon
from pipeline.tag.sentiment.sentence import Token, tokens
from pipeline.tag.sentiment.weights import WEIGHTS

_NOUNS = frozenset({"good", "burden", "bad", "outlay"})
_AND = frozenset({"und", "and"})
_ARTICLES = frozenset({"der", "die", "das", "the", "of", "von", "in"})
_STRONG = frozenset({";", "–", "—", "|", "!", "?", "…"})
_REACH_OF_NOUN, _REACH_OF_NEGATION, _REACH_OF_HEDGE, _REACH_OF_PARTICLE = 10, 4, 9, 16


@dataclass(frozen=True, slots=True)
class Cue:
    """Tokens first..last say `side` of whoever they are about, or `roles` of their subject and object."""

    first: int
    last: int
    side: float
    roles: Roles | None = None
    hedged: bool = False
    conceded: bool = False
    about_target_price: bool = False
    noun: int | None = None


@dataclass(slots=True)
class Sentence:
    """The tokens of one sentence, what each is, and the cues found in it."""

    lexicon: Lexicon
    tokens: list[Token]
    kinds: list[frozenset[str]] = field(default_factory=list)
    spans: list[tuple[int, int, frozenset[str], Roles | None]] = field(default_factory=list)
    clause: list[int] = field(default_factory=list)
    part: list[int] = field(default_factory=list)
    cues: list[Cue] = field(default_factory=list)
    joined: set[int] = field(default_factory=set)  # tokens of phrases, which are not nouns by themselves
    asked: int = -1  # where its last question mark stands

    def near(self, a: int, b: int) -> bool:
        """Both tokens stand in the same clause with no comma between them."""
        return self.clause[a] == self.clause[b] and self.part[a] == self.part[b]


@lru_cache(maxsize=512)
def read_sentence(text: str, names: tuple[tuple[int, int], ...], languages: tuple[str, ...]) -> Sentence:
    """Find the cues of one sentence in which the given spans are names (and mean nothing by themselves)."""
    sentence = Sentence(lexicon(languages), tokens(text, names))
    sentence.asked = max((at for at, token in enumerate(sentence.tokens) if token.text == "?"), default=-1) if "?" in text else -1
    _mark_phrases(sentence)
    _mark_additions(sentence)
    _mark_clauses(sentence)
    taken = _separable(sentence)
    for first, last, kinds, roles in sentence.spans:
        if first in taken:
            continue
        _cue(sentence, first, last, kinds, roles)
    _signed_numbers(sentence)
    _drop_acted_on(sentence)
    return sentence


def _mark_phrases(sentence: Sentence) -> None:
    words = [token.text if token.kind == "word" else "\0" for token in sentence.tokens]
    sentence.kinds = [NOTHING] * len(words)
    phrase = sentence.lexicon.phrase
    at = 0
    while at < len(words):
        if words[at] == "\0":
            at += 1
            continue
        length, kinds, roles = phrase(words, at)
        if "plain" not in kinds and (kinds or roles):
            sentence.spans.append((at, at + length - 1, kinds, roles))
            sentence.kinds[at : at + length] = [kinds] * length
            if length > 1:
                sentence.joined.update(range(at, at + length))
        at += length


def _mark_additions(sentence: Sentence) -> None:
    """ "X added 2 percent" went up; "he added" only speaks."""
    for at, kinds in enumerate(sentence.kinds[:-1]):
        if "up_by" in kinds and _is_percent(sentence.tokens[at + 1]):
            sentence.kinds[at] = frozenset({"up"})
            sentence.spans = sorted(
                [span for span in sentence.spans if span[0] != at] + [(at, at, sentence.kinds[at], None)], key=itemgetter(0)
            )


def _mark_clauses(sentence: Sentence) -> None:
    clause = part = 0
    opened = bool(sentence.kinds) and bool(sentence.kinds[0] & {"split", "concede_clause"})
    for at, (token, kinds) in enumerate(zip(sentence.tokens, sentence.kinds, strict=True)):
        mark = token.kind == "mark"
        strong = mark and (token.text.strip("- ") in _STRONG or token.text.strip() in {"-", "(", ")"})
        if (
            strong
            or (kinds and _splits(sentence, at))
            or (mark and token.text == "," and (opened or _begins_with_name(sentence, at)))
        ):
            clause, opened = clause + 1, False
        elif mark and token.text in {",", ":"}:
            part += 1
        sentence.clause.append(clause)
        sentence.part.append(part)


def _begins_with_name(sentence: Sentence, comma: int) -> bool:
    """Behind the comma a name opens what follows, and is not the next one of a list."""
    listed = comma == 0 or sentence.tokens[comma - 1].kind == "name"
    return not listed and _opens_with_name(sentence, comma + 1)


def _opens_with_name(sentence: Sentence, at: int) -> bool:
    """A name begins here, or what belongs to one: "die Aktie der X"."""
    for token, kinds in zip(sentence.tokens[at : at + 4], sentence.kinds[at : at + 4], strict=True):
        if token.kind == "name":
            return True
        if token.text not in _ARTICLES and not ("good" in kinds and token.kind == "word"):
            return False
    return False


def _splits(sentence: Sentence, at: int) -> bool:
    """ "X fell while Y rose" has two clauses; "Y, however, rose" and "Y stieg dagegen" do not begin one."""
    if "split" in sentence.kinds[at]:
        return at > 0
    return "split_after_mark" in sentence.kinds[at] and at > 0 and sentence.tokens[at - 1].kind == "mark"


def _separable(sentence: Sentence) -> set[int]:
    """Join verbs to the particles that end their clause; return the tokens used up."""
    taken: set[int] = set()
    for at, token in enumerate(sentence.tokens):
        candidates = sentence.lexicon.separable.get(token.text)
        if not candidates or not _ends_clause(sentence, at):
            continue
        for back in range(at - 1, max(-1, at - _REACH_OF_PARTICLE), -1):
            verb = next((v for v in candidates if sentence.tokens[back].text in v.verbs), None)
            if verb and sentence.near(back, at) and back not in taken:
                if verb.kind in {"negation", "hedge"}:
                    sentence.kinds[back] = frozenset({verb.kind})
                else:
                    _cue(sentence, back, at, frozenset({verb.kind}), verb.roles)
                taken |= {back, at}
                break
    return taken


def _ends_clause(sentence: Sentence, at: int) -> bool:
    if at + 1 == len(sentence.tokens):
        return True
    following = sentence.tokens[at + 1]
    return following.kind == "mark" or bool(sentence.kinds[at + 1] & {"continued", "preposition"})


def _cue(sentence: Sentence, first: int, last: int, kinds: frozenset[str], roles: Roles | None) -> None:
    side, about, noun = _side(sentence, first, last, kinds)
    if not (side or roles) or _void(sentence, first, last):
        return
    if first == 0 and side:  # advice: "Sell X", "Buy Y"
        roles = None
    if last < sentence.asked:
        side *= WEIGHTS.asked
    negated, hedged, conceded = (rule(sentence, first, last) for rule in (_negated, _hedged, _conceded))
    if noun is not None:
        first, last = min(first, noun), max(last, noun)
    factor = WEIGHTS.negated if negated else 1.0
    sentence.cues.append(
        Cue(
            first,
            last,
            side * factor,
            (roles[0] * factor, roles[1] * factor) if roles else None,
            hedged,
            conceded,
            about,
            noun,
        )
    )


def _void(sentence: Sentence, first: int, last: int) -> bool:
    """The verb has an object beside which it says nothing: "übernimmt die Leitung"."""
    void = sentence.lexicon.void.get(sentence.tokens[first].text)
    if not void:
        return False
    around = range(max(0, first - _REACH_OF_NOUN), min(len(sentence.tokens), last + _REACH_OF_NOUN))
    return any(sentence.kinds[at] & void and sentence.near(at, first) for at in around)


def _side(sentence: Sentence, first: int, last: int, kinds: frozenset[str]) -> tuple[float, bool, int | None]:
    """What these words say alone or with their noun; whether that noun is a price target; where the noun stands."""
    if "more" in kinds or "less" in kinds:
        beside = (*range(last + 1, min(len(sentence.tokens), last + 3)), *range(first - 1, max(-1, first - 3), -1))
        noun = next((at for at in beside if sentence.kinds[at] & _NOUNS), None)
        return (0.0, False, None) if noun is None else (_sign(sentence.kinds[noun], "more" in kinds), False, noun)
    if direction := ("up" in kinds) - ("down" in kinds):
        noun = _noun_of(sentence, first, last)
        strength = WEIGHTS.percent if _percent_near(sentence, first, last) else 1.0
        if noun is None:
            return (direction * strength if not kinds & {"positive", "negative"} else _event(kinds)), False, None
        what = sentence.kinds[noun]
        into = "bad" in what and any("into" in sentence.kinds[at] for at in range(last + 1, noun))
        return (-strength if into else strength * _sign(what, direction > 0)), "target_noun" in what, noun
    return _event(kinds), False, None


def _sign(noun: frozenset[str], rising: bool) -> float:
    if "outlay" in noun:  # what is invested is a cost today and a hope for tomorrow
        return WEIGHTS.slight if rising else -WEIGHTS.slight
    return 1.0 if ("good" in noun) == rising else -1.0


def _event(kinds: frozenset[str]) -> float:
    bad = "bad" in kinds
    if "negative" in kinds or (bad and "positive" in kinds):
        return -1.0
    if "positive" in kinds:
        return 1.0
    if bad:
        return -WEIGHTS.bad_noun
    return WEIGHTS.slight * (("slight_positive" in kinds) - ("slight_negative" in kinds))


def _noun_of(sentence: Sentence, first: int, last: int) -> int | None:
    """The nearest noun that can rise or fall, on either side, not beyond a comma or a cause ("falls on weak sales")."""
    enclosed = next((at for at in range(first + 1, last) if sentence.kinds[at] & _NOUNS and at not in sentence.joined), None)
    if enclosed is not None:
        return enclosed
    for away in range(1, _REACH_OF_NOUN + 1):
        for at, edge in ((last + away, last), (first - away, first)):
            if not 0 <= at < len(sentence.tokens) or not sentence.near(at, edge) or not sentence.kinds[at] & _NOUNS:
                continue
            if at < first and sentence.tokens[first - 1].text in _AND:  # "defies tariffs and grows"
                continue
            between = range(min(at, edge) + 1, max(at, edge))
            barriers = {"up", "down", "cause"} if at > last else {"up", "down"}
            if not any(sentence.kinds[k] & barriers for k in between):
                return at
    return None


def _percent_near(sentence: Sentence, first: int, last: int) -> bool:
    around = range(max(0, first - 4), min(len(sentence.tokens), last + 6))
    return any(_is_percent(sentence.tokens[at]) and sentence.near(at, first) for at in around)


def _is_percent(token: Token) -> bool:
    return token.kind == "number" and token.text[-1] in "%tc"


def _negated(sentence: Sentence, first: int, last: int) -> bool:
    before = range(max(0, first - 2 * _REACH_OF_NEGATION), first)
    inside_or_after = range(first + 1, min(len(sentence.tokens), last + _REACH_OF_NEGATION))
    german = "nicht" in sentence.lexicon.kinds
    for at in (*before, *(inside_or_after if german else ())):
        if "negation" not in sentence.kinds[at] or "not_negation" in sentence.kinds[at] or not sentence.near(at, first):
            continue
        joined = any(sentence.tokens[k].text in {"und", "and", "or", "oder"} for k in range(at + 1, first))
        if not joined and (german or first - at <= _REACH_OF_NEGATION):
            return True
    return False


def _hedged(sentence: Sentence, first: int, last: int) -> bool:
    around = range(max(0, first - _REACH_OF_HEDGE), min(len(sentence.tokens), last + _REACH_OF_HEDGE))
    if any("hedge" in sentence.kinds[at] and sentence.clause[at] == sentence.clause[first] for at in around):
        return True
    if any(sentence.tokens[at].text in {"ob", "whether"} and sentence.near(at, first) for at in range(first)):
        return True
    return last < sentence.asked


def _conceded(sentence: Sentence, first: int, _last: int) -> bool:
    for at in range(first - 1, -1, -1):
        if not sentence.near(at, first):
            return False
        if "concede_clause" in sentence.kinds[at]:
            return True
        if "concede" in sentence.kinds[at]:
            return not any(at < cue.first and cue.last < first for cue in sentence.cues)
    return False


def _signed_numbers(sentence: Sentence) -> None:
    """A signed percentage says which way it went; one beside words that say so already only repeats them."""
    for at, token in enumerate(sentence.tokens):
        if not _is_percent(token) or token.text[0] not in "+-−–":
            continue
        if not any(sentence.near(at, cue.first) and abs(cue.last - at) <= 4 for cue in sentence.cues):
            side = 1.0 if token.text[0] == "+" else -1.0
            sentence.cues.append(Cue(at, at, side, None, _hedged(sentence, at, at), _conceded(sentence, at, at)))


def _drop_acted_on(sentence: Sentence) -> None:
    """What a verb has acted on says nothing more: "Verlust" in "Verlust schrumpft", "Übernahme" in "lehnt Übernahme ab"."""
    wide = [cue for cue in sentence.cues if sentence.tokens[cue.last].text in sentence.lexicon.separable and cue.last > cue.first]
    sentence.cues = [cue for cue in sentence.cues if not any(w.first < cue.first and cue.last < w.last for w in wide)]
    moved = {cue.noun for cue in sentence.cues if cue.noun is not None}
    sentence.cues = [cue for cue in sentence.cues if cue.first != cue.last or cue.first not in moved]


def names_in(sentence: Sentence) -> Sequence[int]:
    """Where the names stand."""
    return [at for at, token in enumerate(sentence.tokens) if token.kind == "name"]
