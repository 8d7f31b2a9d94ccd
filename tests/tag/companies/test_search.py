"""Companies are found by whatever people call them, and misspellings are met halfway."""

import pytest

from pipeline.tag.companies import Gate, Registry, curated_names, find_companies, gates, like


@pytest.mark.parametrize(
    ("asked", "company_id", "matched", "kind"),
    [
        ("Siemens", "siemens", "Siemens", "name"),
        ("siemens ag", "siemens", "Siemens", "name"),
        ("apple inc.", "apple", "Apple", "name"),
        ("Münchener Rück", "munich-re", "Münchener Rück", "short"),
        ("MUENCHENER RUECK", "munich-re", "Münchener Rück", "short"),
        ("munchener", "munich-re", "Münchener Rück", "short"),
        ("nestle", "nestle", "Nestlé", "name"),
        ("daimler", "mercedes-benz", "Daimler", "former"),
        ("aspirin", "bayer", "Aspirin", "product"),
        ("us0378331005", "apple", "US0378331005", "isin"),
        ("XETR:SAP", "sap", "XETR:SAP", "ticker"),
        ("NASDAQ:AAPL", "apple", "XNAS:AAPL", "ticker"),
        ("bas", "basf", "XETR:BAS", "ticker"),
        ("t-mobile-us", "t-mobile-us", "T-Mobile US", "name"),
    ],
)
def test_the_best_one_comes_first(registry: Registry, asked: str, company_id: str, matched: str, kind: str) -> None:
    hit = find_companies(registry, asked)[0]
    assert (hit.company_id, hit.matched, hit.kind) == (company_id, matched, kind)


def test_a_whole_name_is_told_from_a_part(registry: Registry) -> None:
    hits = find_companies(registry, "daimler")
    assert [(hit.company_id, hit.exact) for hit in hits] == [("mercedes-benz", True), ("daimler-truck", False)]
    assert {hit.company_id for hit in find_companies(registry, "Merck") if hit.exact} == {"merck-kgaa", "merck-co"}


def test_a_code_names_one_market(registry: Registry) -> None:
    assert [hit.company_id for hit in find_companies(registry, "XETR:MRK")] == ["merck-kgaa"]
    assert [hit.company_id for hit in find_companies(registry, "NYSE:MRK")] == ["merck-co"]
    assert find_companies(registry, "XLON:MRK") == find_companies(registry, "") == find_companies(registry, "xqzv") == []


@pytest.mark.parametrize(
    ("typed", "meant"), [("Simens", "siemens"), ("Folkswagen", "volkswagen"), ("Deutche Bnak", "deutsche-bank")]
)
def test_a_misspelling_has_a_likeness(registry: Registry, typed: str, meant: str) -> None:
    assert find_companies(registry, typed) == []
    assert like(registry, typed)[0].company_id == meant


def test_nothing_is_like_gibberish(registry: Registry) -> None:
    assert like(registry, "xqzvwk") == []


def test_it_is_said_when_a_name_counts(registry: Registry) -> None:
    told = {gate.name: gate for gate in gates(registry, "visa")}
    assert told["Visa Inc"] == Gate("Visa Inc", "short", "wherever it stands")
    assert told["Visa"].counts.startswith("with a word of the trade beside it")
    assert next(g for g in gates(registry, "block") if g.name == "Block").counts.startswith("with 2 words of the trade beside it")
    merck = gates(registry, "merck-kgaa")[0]
    assert merck.shared == ("merck-co",) and "Darmstadt" in merck.counts
    assert next(g for g in gates(registry, "next") if g.name == "Next").counts == "never by itself: it says too little"


def test_there_are_many_by_hand(registry: Registry) -> None:
    assert len(registry.curated) >= 120 and set(curated_names()) == registry.curated < set(registry.companies)
    assert len(registry.companies) >= 2000
