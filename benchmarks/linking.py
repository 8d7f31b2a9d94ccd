"""How long it takes to name the companies in an article, against one regular expression of all the names. CPU, in turn.

The expression only finds the words: no gates, no roles, no telling of one Merck from the other.
"""

import re
import time
from collections.abc import Callable
from statistics import median

from benchmarks.table import Line, Options, Table
from pipeline.tag.companies import link, load_registry
from pipeline.tag.companies.names import spellings

ARTICLE = (
    """\
Der Chemiekonzern BASF hebt nach einem starken Quartal die Prognose an, die Aktie steigt um drei Prozent auf den höchsten
Stand seit dem Frühjahr. Der Vorstand erwartet nun einen Gewinn am oberen Ende der bisherigen Spanne, hieß es am Freitagabend.
Analysten von JPMorgan hatten mit weniger gerechnet und sehen auch Bayer im Vorteil, weil die Preise für Vorprodukte fallen.
Das Geschäft mit der Autoindustrie bleibt dagegen schwierig: Zulieferer wie Continental bestellen vorsichtig und bauen Lager ab.
In den Werken am Rhein laufen die Anlagen wieder mit mehr als drei Vierteln ihrer Leistung, ein Jahr zuvor war es gut die Hälfte.
Für das kommende Jahr plant das Management den Verkauf eines Teils der Lacke; ein Angebot liegt noch nicht vor.
In den USA gaben die Kurse nach, weil Anleger nach den Zahlen von Apple und Microsoft Gewinne mitnahmen und der Dollar stieg.
Die Gewerkschaft verlangt eine Zusage für alle Standorte bis zum Ende des Jahrzehnts und will darüber im Herbst verhandeln.
"""
    * 4
)


ROUNDS, LIMIT = 5, 0.02


def milliseconds_each(call: Callable[[], object], times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - began) / times * 1e3


def measure(options: Options) -> Table:
    registry = load_registry()
    names = {s for c in registry.companies.values() for s in spellings(c.name)}
    naive = re.compile(r"\b(?:" + "|".join(map(re.escape, sorted(names, key=len, reverse=True))) + r")\b")
    text = ARTICLE[:900] if options.tiny else ARTICLE
    rounds = 1 if options.tiny else ROUNDS

    def ours() -> object:
        return link(registry, "BASF hebt Prognose an", text, "de", ())

    ours()
    pairs = [(milliseconds_each(ours, 50), milliseconds_each(lambda: naive.findall(text), 1)) for _ in range(rounds)]
    own, theirs = (median(column) for column in zip(*pairs, strict=True))
    loading = median(milliseconds_each(load_registry, 1) for _ in range(rounds))
    lines = [
        Line(what="naming the companies of an article", figure=own, unit="ms", peer=theirs, limit=LIMIT),
        Line(what="loading the registry", figure=loading, unit="ms"),
    ]
    title = f"CPU of linking, {len(registry.companies)} companies with {len(registry.aliases)} spellings, {len(text)} characters"
    return Table(title=title, against=f"{len(names)} names", lines=lines)
