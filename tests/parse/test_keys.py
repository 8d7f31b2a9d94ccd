"""What an entry is recognised by, in feeds that number well and in feeds that don't."""

from pipeline.parse.keys import Marks, choose_keys
from schemas.feed import KeyBasis


def marks(guid: str = "", link: str = "", date: str = "", title: str = "", rest: str = "") -> Marks:
    return Marks(guid, link, date, title, rest)


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
