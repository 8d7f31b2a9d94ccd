"""One month's index: its fields, how words are cut for it, and what a question becomes in it. Needs tantivy; reads only.

Title and text lie in fields by language, each stemmed as that language is, and without accents; other languages are not stemmed.
Nothing of them is stored: a hit is a version's id, and the lake has the words.
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.lake.search.question import Question, spellings
from pipeline.lake.search.snippet import Hit
from pipeline.lake.search.substrings import Candidate

if TYPE_CHECKING:
    import tantivy

STEMMED = {"de": "german", "en": "english"}
FIELDS_OF = (*STEMMED, "xx")
#: A term in a headline counts so much more than one in the text.
TITLE_BOOST = 3.0
#: The fields and how they are filled; an index made by another version of them is made anew.
VERSION = 1


def field_of(language: str | None) -> str:
    """The suffix of the fields for a language."""
    return language if language in STEMMED else "xx"


@lru_cache(maxsize=1)
def analyzers() -> "dict[str, tantivy.TextAnalyzer]":
    """What cuts text into the words of an index, by suffix of field."""
    import tantivy

    def made(stem: str | None) -> tantivy.TextAnalyzer:
        builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        filters = [tantivy.Filter.lowercase(), tantivy.Filter.ascii_fold()]
        for one in filters + ([tantivy.Filter.stemmer(stem)] if stem else []):
            builder = builder.filter(one)
        return builder.build()

    return {name: made(STEMMED.get(name)) for name in FIELDS_OF}


def open_index(place: Path, *, new: bool = False) -> "tantivy.Index":
    """The index in a directory; raises ValueError where it is damaged."""
    import tantivy

    index = tantivy.Index(_schema(), str(place), reuse=False) if new else tantivy.Index.open(str(place))
    for name, analyzer in analyzers().items():
        index.register_tokenizer(name, analyzer)
    return index


def _schema() -> "tantivy.Schema":
    import tantivy

    builder = tantivy.SchemaBuilder()
    for name in ("version_id", "article_id", "batch_id", "source", "language"):
        builder.add_text_field(name, stored=name == "version_id", tokenizer_name="raw", index_option="basic")
    builder.add_integer_field("day", stored=True, indexed=True, fast=True)
    for name in FIELDS_OF:
        builder.add_text_field(f"title_{name}", tokenizer_name=name)
        builder.add_text_field(f"text_{name}", tokenizer_name=name)
    return builder.build()


def find(index: "tantivy.Index", asked: Question, versions: list[str] | None, limit: int) -> list[Candidate]:
    """The best versions of one month, best first; their day as an ordinal."""
    searcher = index.searcher()
    found = searcher.search(_query(index.schema, asked, versions), limit, count=False).hits
    documents = [(score, searcher.doc(at)) for score, at in found]
    return [(score, document["version_id"][0], document["day"][0]) for score, document in documents]


def _query(schema: "tantivy.Schema", asked: Question, versions: list[str] | None) -> "tantivy.Query":
    from tantivy import FieldType, Occur, Query

    must = [_term(schema, by_field) for by_field in _tokens(asked)]
    within = [Query.range_query(schema, "day", FieldType.Integer, asked.since.toordinal(), asked.until.toordinal())]
    for name in ("source", "language"):
        if value := getattr(asked, name):
            within.append(Query.term_query(schema, name, value.lower()))
    if versions is not None:
        within.append(Query.term_set_query(schema, "version_id", versions))
    return Query.boolean_query([(Occur.Must, q) for q in [*must, *(Query.const_score_query(q, 0.0) for q in within)]])


def _term(schema: "tantivy.Schema", by_field: dict[str, set[tuple[str, ...]]]) -> "tantivy.Query":
    """One term of the question, in whichever field it occurs."""
    from tantivy import Occur, Query

    should = []
    for name, cut in by_field.items():
        for words in cut:
            for part, boost in (("title", TITLE_BOOST), ("text", 1.0)):
                field = f"{part}_{name}"
                one = Query.term_query(schema, field, words[0])
                should.append(
                    Query.boost_query(one if len(words) == 1 else Query.phrase_query(schema, field, list(words)), boost)
                )
    return Query.boolean_query([(Occur.Should, q) for q in should])


def _tokens(asked: Question) -> list[dict[str, set[tuple[str, ...]]]]:
    """For each term its words as each kind of field has them."""
    return [
        {name: {cut for s in spellings(term) if (cut := tuple(analyzer.analyze(s)))} for name, analyzer in analyzers().items()}
        for term in asked.terms
    ]


def finder(asked: Question) -> Callable[[str, str | None], list[Hit]]:
    """What finds the terms in a title or text again, in order."""
    terms = _tokens(asked)

    def look(text: str, language: str | None) -> list[Hit]:
        name = field_of(language)
        words = analyzers()[name].pre_tokenize(text).tokens
        cut = [word.text for word in words]
        found = [
            Hit(words[at].char_offset_from, words[at + len(phrase) - 1].char_offset_to, n)
            for n, term in enumerate(terms)
            for phrase in term[name]
            for at in range(len(cut) - len(phrase) + 1)
            if cut[at] == phrase[0] and tuple(cut[at : at + len(phrase)]) == phrase
        ]
        return sorted(found, key=lambda hit: hit.start)

    return look
