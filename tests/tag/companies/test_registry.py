"""What the registry holds, and what it must not let through from the package."""

from dataclasses import replace

from pipeline.tag.companies import Registry, load_registry
from pipeline.tag.companies.exchanges import MARKET_OF_MIC, isin_is_valid
from pipeline.tag.companies.names import full_names, slug, spellings, tails_pattern
from schemas.tag import Listing

TAILS = tails_pattern(("AG", "SE", "Inc.", "plc", "Holdings", "Group", "Industries"))


def test_a_curated_company_as_a_whole(registry: Registry) -> None:
    company = registry.companies["alibaba"]
    assert replace(company, record_id="", registry="") == replace(
        company,
        record_id="",
        registry="",
        company_id="alibaba",
        name="Alibaba",
        country="CN",
        isins=("US01609W1027", "KYG017191142"),
        listings=(Listing(mic="XNYS", ticker="BABA"), Listing(mic="XHKG", ticker="9988")),
        parent_id=None,
        private=False,
    )
    assert company.record_id.startswith("c_")
    assert company.registry == registry.version


def test_loading_again_gives_the_same(registry: Registry) -> None:
    again = load_registry()
    assert again.companies == registry.companies
    assert again.version == registry.version


def test_records_are_sound(registry: Registry) -> None:
    companies = registry.companies
    assert len(companies) > 2000
    assert all(key == c.company_id == slug(c.company_id) for key, c in companies.items())
    assert len({c.record_id for c in companies.values()}) == len(companies)
    assert [i for c in companies.values() for i in c.isins if not isin_is_valid(i)] == []
    assert [c.company_id for c in companies.values() if c.parent_id and c.parent_id not in companies] == []
    assert [c.company_id for c in companies.values() if c.private and c.listings] == []
    assert {x.mic for c in companies.values() for x in c.listings if x.mic} <= MARKET_OF_MIC.keys()
    isins = [i for c in companies.values() for i in c.isins]
    assert len(isins) == len(set(isins))


def test_stocks_of_the_package_join_the_curated_company(registry: Registry) -> None:
    assert [key for key in registry.companies if key.startswith("adidas")] == ["adidas"]
    assert [key for key in registry.companies if key.startswith("ge-aerospace")] == []
    assert registry.companies["alstom"].isins == ("FR0010220475",)
    assert registry.tickers["US", "AAPL"] == "apple"
    assert registry.tickers["DE", "SAP"] == "sap"


def test_owners_and_parents(registry: Registry) -> None:
    assert registry.companies["pimco"].parent_id == "allianz"
    assert registry.companies["openai"].private


def test_names_lose_their_legal_forms_but_not_their_sense() -> None:
    assert full_names("Beispiel Holdings plc", TAILS) == ("Beispiel Holdings plc", "Beispiel Holdings", "Beispiel")
    assert full_names("Patrick Industries, Inc.", TAILS) == ("Patrick Industries, Inc.", "Patrick Industries")
    assert full_names("The Sample Group (Class A)", TAILS) == ("The Sample Group", "Sample")


def test_spellings() -> None:
    assert {"Deutsche Röhre", "Deutschen Röhre", "Deutscher Roehre", "DEUTSCHE RÖHRE", "Deutsche-Röhre"} <= set(
        spellings("Deutsche Röhre")
    )
    assert {"HelloTest", "Hellotest", "HELLOTEST"} == set(spellings("HelloTest"))
    assert slug("Müller & Söhne's A/S") == "mueller-and-soehnes-a-s"


def test_check_digit() -> None:
    assert isin_is_valid("US0378331005")
    assert not isin_is_valid("US0378331006")
