"""What words mean to the rules: the lexicon files expanded into look-ups. Pure but for loading the files, once per language."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import product
from pathlib import Path

LANGUAGES = ("de", "en")
NOTHING: frozenset[str] = frozenset()
Roles = tuple[float, float]
_HERE = Path(__file__).parent
_LONGEST_PHRASE = 4


@dataclass(frozen=True, slots=True)
class Separable:
    """A verb whose particle ends the clause: "gibt … nach"."""

    verbs: frozenset[str]
    kind: str
    roles: Roles | None


@dataclass(slots=True)
class Lexicon:
    """Words and phrases of one or more languages and their kinds; filled while it is loaded, then only read."""

    kinds: dict[str, set[str]] = field(default_factory=dict)
    tails: dict[str, set[str]] = field(default_factory=dict)
    heads: dict[str, set[str]] = field(default_factory=dict)
    roles: dict[str, Roles] = field(default_factory=dict)
    void: dict[str, set[str]] = field(default_factory=dict)  # kinds of nouns beside which the verb says nothing
    separable: dict[str, list[Separable]] = field(default_factory=dict)
    phrase_starts: set[str] = field(default_factory=set)
    known: dict[str, frozenset[str]] = field(default_factory=dict)

    def word(self, word: str) -> frozenset[str]:
        """The kinds of one lower-case word; compounds are known by their last part."""
        found = self.known.get(word)
        if found is None:
            found = frozenset(self.kinds.get(word) or self._compound(word) or self._unfolded(word))
            if len(self.known) < 100_000:
                self.known[word] = found
        return found

    def phrase(self, words: list[str], at: int) -> tuple[int, frozenset[str], Roles | None]:
        """How many of the words from there on form the longest known phrase, its kinds and its roles."""
        word = words[at]
        if word in self.phrase_starts:
            for length in range(min(_LONGEST_PHRASE, len(words) - at), 1, -1):
                joined = " ".join(words[at : at + length])
                if joined in self.kinds or joined in self.roles:
                    return length, frozenset(self.kinds.get(joined, ())), self.roles.get(joined)
        return 1, self.word(word), self.roles.get(word)

    def _compound(self, word: str) -> set[str]:
        for cut in range(3, len(word) - 2):
            if tail := self.tails.get(word[cut:]):
                return _with_head(self.word(word[:cut].removesuffix("s")), tail) | self._head(word)
        return self._head(word)

    def _head(self, word: str) -> set[str]:
        return next((kinds for cut in range(len(word), 3, -1) if (kinds := self.heads.get(word[:cut]))), set())

    def _unfolded(self, word: str) -> frozenset[str]:
        written = word.replace("ae", "ä").replace("oe", "ö").replace("ue", "ü")
        return self.word(written) if written != word else NOTHING


def _with_head(head: frozenset[str], tail: set[str]) -> set[str]:
    """A compound of a noun and a direction has a side of its own: Gewinneinbruch is bad, Schuldenrückgang is good."""
    direction = ("up" in tail) - ("down" in tail)
    if not direction or not head & {"good", "burden", "bad"}:
        return tail
    return {"positive" if (direction > 0) == ("good" in head) else "negative"}


@cache
def lexicon(languages: tuple[str, ...]) -> Lexicon:
    """The lexicon of these languages, together."""
    lex = Lexicon()
    for language in languages:
        data = tomllib.loads((_HERE / f"{language}.toml").read_text("utf-8"))
        endings = data["endings"]
        for kind, entries in data["words"].items():
            for entry in entries.split():
                _add(lex, entry, kind, endings)
        for entries, (subject, target) in data.get("roles", {}).items():
            for form in (form for entry in entries.split() for form in _forms(entry, endings)):
                lex.roles[form] = (subject, target)
                lex.phrase_starts.add(form.split(" ")[0])
        for kind, entries in data.get("void", {}).items():
            for form in (form for entry in entries.split() for form in _forms(entry, endings)):
                lex.void.setdefault(form, set()).add(kind)
        for verb in data.get("separable", ()):
            _add_separable(lex, verb, endings)
    return lex


def _add(lex: Lexicon, entry: str, kind: str, endings: list[str]) -> None:
    if entry.endswith("*"):
        lex.heads.setdefault(entry[:-1], set()).add(kind)
        return
    table = lex.tails if entry.startswith("*") else lex.kinds
    for form in _forms(entry.removeprefix("*"), endings):
        table.setdefault(form, set()).add(kind)
        if table is lex.kinds and " " in form:
            lex.phrase_starts.add(form.split(" ")[0])


def _forms(entry: str, endings: list[str]) -> Iterator[str]:
    parts = [[part[:-1] + end for end in endings] if part.endswith("~") else [part] for part in entry.split("_")]
    return (" ".join(chosen) for chosen in product(*parts))


def _add_separable(lex: Lexicon, verb: Mapping[str, object], endings: list[str]) -> None:
    particle, roles = str(verb["particle"]), verb.get("roles")
    forms = frozenset(form for entry in str(verb["verbs"]).split() for form in _forms(entry, endings))
    kind = str(verb.get("sense", "role"))
    pair = (float(roles[0]), float(roles[1])) if isinstance(roles, list) else None
    lex.separable.setdefault(particle, []).append(Separable(forms, kind, pair))
    for form in forms:
        for whole in (particle + form, f"{particle}zu{form}", f"{particle}ge{form}"):
            if pair:
                lex.roles[whole] = pair
            else:
                lex.kinds.setdefault(whole, set()).add(kind)


@lru_cache(maxsize=4096)
def vote(text: str) -> str | None:
    """The language whose commonest words occur most, None where neither clearly leads."""
    words = text.lower().split()
    german, english = (sum("stop" in lexicon((language,)).word(word) for word in words) for language in LANGUAGES)
    if german >= 2 * english + 1:
        return "de"
    return "en" if english >= 2 * german + 1 else None


def languages_of(language: str | None, sample: str) -> tuple[str, ...]:
    """The languages whose rules apply: the one named, else the one the sample looks like, else both."""
    named = (language or "")[:2].lower()
    chosen = named if named in LANGUAGES else vote(sample[:1000])
    return (chosen,) if chosen else LANGUAGES
