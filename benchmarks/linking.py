"""How long it takes to name the companies in an article, against one regular expression of all the names. Prints ratios.

The expression only finds the words: no gates, no roles, no telling of one Merck from the other.

python benchmarks/linking.py
"""

import re
import time
from collections.abc import Callable

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


def best(call: Callable[[], object], repeats: int, rounds: int = 5) -> float:
    """Seconds for one call, the best round of several."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(repeats):
            call()
        times.append((time.perf_counter() - start) / repeats)
    return min(times)


def main() -> None:
    start = time.perf_counter()
    registry = load_registry()
    loading = time.perf_counter() - start
    names = {s for c in registry.companies.values() for s in spellings(c.name)}
    naive = re.compile(r"\b(?:" + "|".join(map(re.escape, sorted(names, key=len, reverse=True))) + r")\b")
    ours = best(lambda: link(registry, "BASF hebt Prognose an", ARTICLE, "de", ()), 50)
    theirs = best(lambda: naive.findall(ARTICLE), 2, rounds=3)
    print(f"loading {loading:.2f} s, {len(registry.companies)} companies, {len(registry.aliases)} spellings")
    print(f"link    {ours * 1e6:8.0f} µs for {len(ARTICLE)} characters")
    print(f"regex   {theirs * 1e6:8.0f} µs for {len(names)} names")
    print(f"ratio   {theirs / ours:8.1f} times as fast")


if __name__ == "__main__":
    main()
