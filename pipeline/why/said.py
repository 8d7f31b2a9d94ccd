"""What the taggers said of each company, and the sentences it rests on, for a terminal. Pure."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

Row = dict[str, Any]

_SIGN = {-1: ("▼", "red"), 0: ("·", "default"), 1: ("▲", "green")}
_MOST_COMPANIES = 10
_MOST_SENTENCES = 12, 3  # of the most relevant company, of each other
_LONGEST_SENTENCE = 220  # characters; a longer one is cut around the words it is shown for


def said(
    tagging: Row, *, plain: bool, most: int = _MOST_COMPANIES, sentences: tuple[int, int] = _MOST_SENTENCES
) -> Iterator[tuple[Text, list[RenderableType]]]:
    """Per company its score and what is behind it; `plain` marks words with asterisks, for what shows no colours."""
    companies = tagging["said_of"]
    for number, company in enumerate(companies[:most]):
        yield _score(company), [_verdict(company["name"], company), *_sentences(company, sentences[number > 0], plain)]
    if rest := companies[most:]:
        yield Text(), [Text.assemble((f"and {len(rest)} less relevant: ", "dim"), brief(rest))]
    if whole := tagging["article"]:
        # its words are mostly those of the companies, shown above
        yield _score(whole), [_verdict("the article as a whole", whole), *([] if companies else _sentences(whole, 3, plain))]
    if ads := tagging["only_in_promotion"]:
        yield Text(), [Text("named in promotion only, which counts for nothing: " + ", ".join(c["name"] for c in ads), "dim")]


def brief(companies: list[Row]) -> Text:
    """Every company with its score, in one line."""
    return Text("  ").join(Text.assemble(_score(c), " ", c["name"]) for c in companies)


def _score(verdict: Row) -> Text:
    sign, style = _style(verdict)
    return Text(f"{sign} {verdict['score']:+.2f}", style)


def _style(verdict: Row) -> tuple[str, str]:
    return ("±", "yellow") if verdict["mixed"] else _SIGN[verdict["sentiment"]]


def _verdict(name: str, verdict: Row) -> Text:
    """The name, the three probabilities, and how much and as what the article names it."""
    facts = [f"bad {verdict['p_negative']:.2f}, neutral {verdict['p_neutral']:.2f}, good {verdict['p_positive']:.2f}"]
    facts += [word for word in ("mixed", "hedged") if verdict[word]]
    if verdict["company_id"]:
        facts += [f"relevance {verdict['relevance']:.2f}", *(["in the headline"] if verdict["in_headline"] else [])]
        facts += [_named(verdict)]
    return Text.assemble((name, "bold"), f"  {', '.join(facts)}")


def _named(company: Row) -> str:
    """How often it is named, in which role, and by which words where these are not its name."""
    counted = [m for m in company["mentions"] if not m["in_ad"]]
    roles = Counter(m["role"].replace("_", " ") for m in counted if m["role"])
    words = list(dict.fromkeys(m["surface"] for m in counted if m["surface"] != company["name"]))
    ads = len(company["mentions"]) - len(counted)
    return "".join(
        (
            f"named {len(counted)}×",
            *(f", {n}× as {role}" for role, n in roles.items()),
            f" ({', '.join(words[:3])}{', …' if len(words) > 3 else ''})" if words else "",
            f", {ads}× more in promotion" if ads else "",
        )
    )


def _sentences(verdict: Row, most: int, plain: bool) -> Iterator[RenderableType]:
    """The sentences with evidence, the words that count marked."""
    around: dict[tuple[str, int], list[Row]] = {}
    for span in verdict["evidence"]:
        around.setdefault((span["field"], span["sentence"]["start"]), []).append(span)
    for (field, start), spans in list(around.items())[:most]:
        marks = _merged([(span["start"] - start, span["end"] - start) for span in spans])
        sentence = _marked(spans[0]["sentence"]["text"], marks, _style(verdict)[1], plain)
        yield _inward(Text.assemble(("title: ", "dim"), sentence) if field == "title" else sentence)
    if (rest := len(around) - most) > 0:
        yield _inward(Text(f"and words in {rest} more sentence{'s' if rest > 1 else ''}", "dim"))
    if not around:
        yield _inward(Text("no words for or against it were found", "dim"))


def _inward(text: Text) -> Padding:
    return Padding(text, (0, 0, 0, 2))


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in order, those that overlap as one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _marked(sentence: str, marks: list[tuple[int, int]], style: str, plain: bool) -> Text:
    """A sentence with its words marked, cut to what lies around them where it is long."""
    low, high = 0, len(sentence)
    if high > _LONGEST_SENTENCE:
        low = max(0, min(marks[0][0] - 60, high - _LONGEST_SENTENCE))
        high = min(high, max(low + _LONGEST_SENTENCE, marks[-1][1] + 20))
    text, done, star = Text("… " if low else ""), low, "**" if plain else ""
    for start, end in marks:
        text.append(sentence[done:start]).append(f"{star}{sentence[start:end]}{star}", f"bold {style}")
        done = end
    return text.append(sentence[done:high]).append(" …" if high < len(sentence) else "")
