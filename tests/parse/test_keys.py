"""What an entry is recognised by, in feeds that number well and in feeds that don't."""

import pytest

from pipeline.parse.keys import Marks
from pipeline.parse.keys import choose_keys as keys_and_policy
from schemas.feed import KeyBasis


def marks(guid: str = "", link: str = "", date: str = "", title: str = "", rest: str = "") -> Marks:
    return Marks(guid, link, date, title, rest)


def choose_keys(entries: list[Marks]) -> list[tuple[str, KeyBasis]]:
    return keys_and_policy(entries)[0]


def test_the_first_mark_there_is_counts() -> None:
    assert choose_keys([marks("g1", "l1", "d1", "t1"), marks("", "l2", "d2", "t2"), marks("", "", "d3", "t3")]) == [
        ("g1", KeyBasis.GUID),
        ("l2", KeyBasis.LINK),
        ("t3", KeyBasis.TITLE),
    ]


def test_a_guid_for_everything_is_none() -> None:
    assert choose_keys([marks("0", "l1"), marks("0", "l2"), marks("g", "l3")]) == [
        ("l1", KeyBasis.LINK),
        ("l2", KeyBasis.LINK),
        ("g", KeyBasis.GUID),
    ]


def test_a_link_for_everything_needs_its_date_and_then_the_title() -> None:
    assert choose_keys([marks("", "l", "d1", "t1"), marks("", "l", "d2", "t2")]) == [
        ("l d1", KeyBasis.LINK_DATE),
        ("l d2", KeyBasis.LINK_DATE),
    ]
    assert choose_keys([marks("", "l", "d", "t1"), marks("", "l", "d", "t2"), marks("", "l", "", "t3")]) == [
        ("l t1", KeyBasis.TITLE),
        ("l t2", KeyBasis.TITLE),
        ("l t3", KeyBasis.TITLE),
    ]


def test_an_entry_listed_twice_is_one_entry() -> None:
    twice = marks("g", "l", "d", "t")
    assert choose_keys([twice, twice]) == [("g", KeyBasis.GUID)] * 2
    assert choose_keys([marks("", "l", "d", "t")] * 2) == [("l", KeyBasis.LINK)] * 2


def test_the_same_guid_with_a_corrected_title_is_one_entry() -> None:
    assert (
        choose_keys([marks("g", "l", "d1", "Zahlen"), marks("g", "l", "d2", "Zahlen (korrigiert)")]) == [("g", KeyBasis.GUID)] * 2
    )


def test_an_entry_with_nothing_to_go_by_still_gets_a_key() -> None:
    one, other, same = choose_keys([marks(rest="eins"), marks(rest="zwei"), marks(rest="eins")])
    assert one == same != other
    assert one[1] is KeyBasis.TITLE
    assert len(one[0]) == 40


def good(n: int, **instead: str) -> list[Marks]:
    return [marks(**{"guid": f"g{i}", "link": f"l{i}", "date": f"d{i}", "title": f"t{i}"} | instead) for i in range(n)]


GUID, LINK, LINK_DATE, TITLE = KeyBasis


@pytest.mark.parametrize(
    ("document", "policy", "now"),
    [
        ([], GUID, GUID),
        (good(20), GUID, GUID),
        (good(20), LINK_DATE, LINK_DATE),  # never better again
        (good(1, guid=""), GUID, LINK),
        ([*good(19), marks("", "l", "d", "t")], GUID, GUID),  # one of twenty is not more than 5 %
        ([*good(18), marks("", "l", "d", "t")], GUID, LINK),
        (good(20, guid="0"), GUID, LINK),
        (good(20, guid="", link="https://example.com/"), GUID, LINK_DATE),
        (good(20, link="https://example.com/", date=""), LINK, TITLE),
        (good(20, guid="0", link=""), GUID, TITLE),
        (good(20, guid="0", link=""), None, None),
    ],
)
def test_the_policy_degrades_where_more_than_a_twentieth_is_unfit(
    document: list[Marks], policy: KeyBasis | None, now: KeyBasis | None
) -> None:
    assert keys_and_policy(document, policy)[1] == now


def test_a_policy_that_stays_keeps_the_keys_whatever_else_is_in_the_document() -> None:
    """Guids repeat today and not tomorrow: entries that were known by their link are known by it still."""
    today = [*good(3), marks("0", "l3", "d3", "t3"), marks("0", "l4", "d4", "t4")]
    keys, policy = keys_and_policy(today, GUID)
    assert (keys, policy) == ([(f"l{i}", LINK) for i in range(5)], LINK)
    assert keys_and_policy(today[:4], policy) == (keys[:4], LINK)


def test_a_single_entry_without_a_mark_as_good_has_the_next() -> None:
    keys, policy = keys_and_policy([*good(40), marks("", "l", "d", "t")], GUID)
    assert (policy, keys[0], keys[-1]) == (GUID, ("g0", GUID), ("l", LINK))
