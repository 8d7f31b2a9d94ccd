"""What pages and servers ask machines not to do."""

import pytest

from pipeline.read.optout import opt_outs_of, opt_outs_sent
from schemas.web import Header


@pytest.mark.parametrize(
    ("headers", "signals"),
    [
        ([], ()),
        ([("server", "noai")], ()),
        ([("x-robots-tag", "index, follow, max-image-preview:large")], ()),
        ([("x-robots-tag", "NoArchive, noimageai")], ("noarchive", "noimageai")),
        ([("x-robots-tag", "somebot: noai, noarchive"), ("x-robots-tag", "noarchive")], ("noai", "noarchive")),
        ([("x-robots-tag", "unavailable_after: 25 Jun 2030 15:00:00 PST")], ()),
        ([("tdm-reservation", "0")], ()),
        (
            [("tdm-reservation", " 1"), ("tdm-policy", "https://a.example/policy.json")],
            ("tdm-reservation", "tdm-policy: https://a.example/policy.json"),
        ),
    ],
)
def test_headers(headers: list[tuple[str, str]], signals: tuple[str, ...]) -> None:
    assert opt_outs_sent(Header(name=name, value=value) for name, value in headers) == signals


def test_meta_elements() -> None:
    assert opt_outs_of(
        {"robots": ["noindex,noai"], "tdm-reservation": ["1"], "tdm-policy": ["/tdm.json"], "author": ["noarchive"]}
    ) == (
        "noai",
        "tdm-reservation",
        "tdm-policy: /tdm.json",
    )
    assert opt_outs_of({}) == ()
