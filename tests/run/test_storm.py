"""A feed that changes its guids and addresses, in real batches: nothing comes again, and a replay sees it the same."""

from datetime import timedelta
from pathlib import Path

from tests.run.publisher import Desk, page_of, publishing
from tests.run.replays import content, made_anew

SOON = timedelta(minutes=2)
TITLES = [f"Company {n} raises its outlook" for n in range(6)]


def items(guid: str, path: str) -> list[dict[str, str]]:
    return [{"guid": guid.format(n), "title": title, "path": path.format(n)} for n, title in enumerate(TITLES)]


def test_a_storm_of_guids_is_absorbed_and_so_is_the_way_back(tmp_path: Path) -> None:
    with publishing() as publisher:
        desk = Desk(tmp_path, publisher)
        publisher.pages = {f"/{n}": page_of(title, f"{title}, it said on day {n}.") for n, title in enumerate(TITLES)}
        publisher.items = items("old-{}", "/{}")
        assert desk.batch(SOON)["pull"] == {"came_in": 1, "parsed": 1, "entries seen": 6, "entries new": 6}
        # new guids and links with tracking; then none, on which the policy degrades; then the old ones
        for change in (items("new-{}", "/{}?utm_source=rss"), items("0", "/{}"), items("old-{}", "/{}")):
            publisher.items = change
            assert desk.batch(SOON) == {
                "pull": {"came_in": 1, "parsed": 1, "entries seen": 6, "entries absorbed": 6}, "read": {}, "tag": {},
            }  # fmt: skip
        publisher.items = [*items("old-{}", "/{}")[1:], {"guid": "old-9", "title": "Something else", "path": "/0"}]
        told = desk.batch(SOON)["pull"]
        assert told == {"came_in": 1, "parsed": 1, "entries seen": 6, "entries absorbed": 5, "entries new": 1}
    assert desk.rows("SELECT key_policy FROM lake.visits ORDER BY visited_at") == [("guid",), ("guid",), *[("link",)] * 3]
    assert desk.rows("SELECT count(*), count(DISTINCT entry_id) FROM lake.entries") == [(7, 6)], (
        "a link is who its entry is by now"
    )
    made_anew(desk.settings, tmp_path / "new")
    assert content(tmp_path / "new") == content(desk.settings.lake)
