"""Feeds out of shape: no feeds, wrong charsets, XML bombs, broken markup, odd GUIDs. Pure."""

from collections.abc import Iterator

from schemas.feed import VisitCode
from schemas.web import Kind
from tests.wire_hostile.case import Case, feed_answer, maker, rss

_TITLE = "Börse am Mittag"
_NO_FEED = VisitCode.NOT_A_FEED
_READ = VisitCode.PARSED
#: What is said to be cut, where a field is too long.
_CUT = {"title": "title", "guid": "key", "date": "published_raw", "digits": "published_raw", "link": "raw_url"}
ANY = "(?s).*"  # whatever the parser says of it, or nothing


def documents() -> Iterator[Case]:
    yield from _no_feeds()
    yield from _charsets()
    yield from _bombs()
    yield from _broken()
    yield from _guids()


def _no_feeds() -> Iterator[Case]:
    case = maker(Kind.FEED, "no-feed")
    for name, body, detail in (
        ("spaces", b" \r\n\t " * 99, "empty body"),
        ("json", b'{"items": []}', "JSON"),
        ("pdf", b"%PDF-1.7\n" + bytes(99), "neither XML nor HTML"),
        ("png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "neither XML nor HTML"),
        ("opml", b"<opml version='2.0'><body/></opml>", "XML without a feed in it"),
        ("svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "XML without a feed in it"),
        ("nul", bytes(9999), ".+"),
        ("path", b"/etc/passwd", "neither XML nor HTML"),
        ("address", b"http://127.0.0.1:1/", "neither XML nor HTML"),
        ("php", b"<br />\n<b>Warning</b>: mysqli_connect()", "XML without a feed in it"),
        ("lone-bom", b"\xef\xbb\xbf", ".+"),
    ):
        yield case(name, "no feed", feed_answer(body), _NO_FEED, detail=detail)
    for name, kind in {"html": "text/html", "none": "", "image": "image/png", "rubbish": "\xe4/;;=", "long": "x" * 9000}.items():
        yield case(
            f"but-{name}",
            "a feed under a wrong content type",
            feed_answer(Content_Type=kind),
            _READ,
            detail=ANY,
            entries=(("A", None, None),),
        )


def _charsets() -> Iterator[Case]:
    case = maker(Kind.FEED, "charset")
    plain = f"<title>{_TITLE}</title><guid>1</guid>"
    body = rss(plain).decode()
    bare = body.replace('<?xml version="1.0"?>', "")
    right, said = ((_TITLE, None, None),), '<?xml version="1.0" encoding="{}"?>'
    for name, data, kind in (
        ("header-lies", said.format("utf-8") + bare, "text/xml; charset=iso-8859-1"),
        ("document-lies", (said.format("utf-8") + bare).encode("cp1252"), ""),
        ("both-lie", (said.format("utf-16") + bare).encode(), "text/xml; charset=utf-32"),
        ("utf-16", (said.format("utf-16") + bare).encode("utf-16"), ""),
        ("utf-16-no-mark", (said.format("utf-16") + bare).encode("utf-16-be"), ""),
        ("invented", (said.format("klingon") + bare).encode(), ""),
        ("header-invented", bare.encode(), "text/xml; charset=klingon"),
        ("mark-twice", b"\xef\xbb\xbf\xef\xbb\xbf" + bare.encode(), ""),
        ("mark-lies", b"\xef\xbb\xbf" + (said.format("iso-8859-1") + bare).encode(), ""),
        ("late-prolog", b"\n\n " + body.encode(), ""),
        ("utf-7", (said.format("utf-7") + bare).encode(), ""),
        ("rot13", (said.format("rot13") + bare).encode(), ""),
        ("header-nul", bare.encode(), 'text/xml; charset="\xe4"'),
    ):
        sent = data if isinstance(data, bytes) else data.encode()
        yield case(
            name,
            "says another encoding than it has",
            feed_answer(sent, Content_Type=kind or "text/xml"),
            _READ,
            detail=ANY,
            entries=right,
        )
    yield case(
        "half",
        "bytes that are no UTF-8 in the middle",
        feed_answer(rss("<guid>1</guid><title>a\xff\xfeb</title>").replace(b"\xc3\xbf\xc3\xbe", b"\xff\xfe")),
        _READ,
        detail=ANY,
    )
    yield case(
        "controls",
        "control characters",
        feed_answer(rss("<guid>1</guid><title>a\x01\x0b\x1fb</title>")),
        _READ,
        detail=ANY,
        entries=(("a b", None, None),),
    )
    yield case(
        "surrogates",
        "references to no character",
        feed_answer(rss("<guid>1</guid><title>&#xD800;a&#x110000;b&#0;&#55357;&#56832;</title>")),
        _READ,
        entries=(("ab\U0001f600", None, None),),
    )


def _bombs() -> Iterator[Case]:
    case = maker(Kind.FEED, "xml")
    laughs = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    body = rss("<guid>1</guid><title>[&x;]</title>").decode().partition("?>")[2]
    for name, doctype in {
        "laughs": f'<!DOCTYPE r [<!ENTITY a0 "ha">{laughs}<!ENTITY x "&a9;">]>',
        "file": '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        "quadratic": f'<!DOCTYPE r [<!ENTITY y "{"ha" * 50_000}"><!ENTITY x "{"&y;" * 1000}">]>',
        "self": '<!DOCTYPE r [<!ENTITY x "&x;">]>',
        "web": '<!DOCTYPE r [<!ENTITY x SYSTEM "http://127.0.0.1:1/x">]>',
        "dtd": '<!DOCTYPE r SYSTEM "http://127.0.0.1:1/x.dtd">',
        "parameter": '<!DOCTYPE r [<!ENTITY % p SYSTEM "http://127.0.0.1:1/x"> %p;]>',
    }.items():
        yield case(
            name,
            "an entity that explodes or reaches outside",
            feed_answer(f"{doctype}{body}".encode()),
            _READ,
            detail=ANY,
            more={"entries_seen": 1},
        )
    deep = 50_000
    for name, data in {
        "deep": b"<a>" * deep,
        "comments": b"<!--" * deep,
        "less-than": b"<" * 400_000,
        "cdata": b"<![CDATA[" * deep,
        "doctype": b"<!DOCTYPE " * deep,
        "instructions": b"<?x " * deep,
    }.items():
        yield case(name, "the same again and again", feed_answer(data), _NO_FEED, detail=ANY)
    attributes = b"<rss " + b" ".join(b'a%d="1"' % n for n in range(deep)) + b"/>"
    yield case("attributes", "50,000 attributes", feed_answer(attributes), _READ, entries=())
    inside = {
        "in-comments": "<!--" * deep,
        "in-tags": "<b>" * deep,
        "in-less-than": "<" * 400_000,
        "in-escaped": "&lt;b&gt;" * 200_000,
        "in-ampersands": "&" * 400_000,
        "in-entities": "&auml;" * 100_000,
        "in-cdata": "<![CDATA[" * deep,
        "in-quotes": "<a x='" * deep,
    }
    for name, text in inside.items():
        yield case(
            name,
            "the same again and again in an entry",
            feed_answer(rss(f"<guid>1</guid><title>A</title><description>{text}</description>")),
            _READ,
            detail=ANY,
        )
    many = [f"<guid>{n}</guid><title>A{n}</title>" for n in range(10_000)]
    yield case("items", "10,000 items", feed_answer(rss(*many)), _READ, more={"entries_seen": 10_000, "entries_dropped": 8_000})
    huge = "x" * 1_000_000
    for name, item in {
        "title": f"<guid>1</guid><title>{huge}</title>",
        "guid": f"<guid>{huge}</guid><title>A</title>",
        "link": f"<link>http://x.example/{huge}</link><title>A</title>",
        "date": f"<guid>1</guid><title>A</title><pubDate>{huge}</pubDate>",
        "author": f"<guid>1</guid><title>A</title><author>{huge}</author>",
        "digits": f"<guid>1</guid><title>A</title><pubDate>{'9' * 100_000}</pubDate>",
        "categories": "<guid>1</guid><title>A</title>" + "<category>x</category>" * 3_000,
    }.items():
        cut = f"too long, cut: {_CUT[name]} of 1 entries" if name in _CUT else None
        told = feed_answer(rss(item))
        yield case(f"huge-{name}", "one field of a million characters", told, _READ, detail=cut, more={"entries_seen": 1})


def _broken() -> Iterator[Case]:
    case = maker(Kind.FEED, "broken")
    whole = rss("<guid>1</guid><title>A</title>", "<guid>2</guid><title>B</title>")
    both = (("A", None, None), ("B", None, None))
    for name, body, entries in (
        ("cut", whole[:-60], None),
        ("cut-head", whole[:70], ()),
        ("junk-after", whole + b"\n<!-- cached --><script>x</script>", both),
        ("junk-before", b"<br/>\nWarning: x\n" + whole, both),
        ("twice", whole + whole, None),
        ("no-channel", whole.replace(b"channel>", b"c>"), both),
        ("ampersand", whole.replace(b">A<", b">A & B<"), (("A & B", None, None), ("B", None, None))),
        ("less-than", whole.replace(b">A<", b">A < B<"), None),
        ("crossed", whole.replace(b"</title></item>", b"</item></title>"), None),
        ("cdata", whole.replace(b">A<", b"><![CDATA[A<"), None),
        ("comment", whole.replace(b"<guid>2", b"<!-- <guid>2"), None),
        ("upper", whole.replace(b"item>", b"ITEM>"), None),
        ("prefix", whole.replace(b"guid>", b"x:guid>"), None),
        ("stylesheet", b'<?xml-stylesheet href="http://127.0.0.1:1/x.xsl"?>' + whole.partition(b"?>")[2], both),
        ("quotes", whole.replace(b'"2.0"', b"2.0"), both),
        ("no-version", whole.replace(b' version="2.0"', b""), both),
        ("nested", whole.replace(b"</title></item><item>", b"</title><item>"), None),
    ):
        yield case(name, "no well-formed XML", feed_answer(body), _READ, detail=ANY, entries=entries)


def _guids() -> Iterator[Case]:
    case = maker(Kind.FEED, "guid")

    def of(*guids: str) -> bytes:
        return feed_answer(rss(*(f"{guid}<title>T{n}</title>" for n, guid in enumerate(guids))))

    three = {"entries_seen": 3, "entries_repeated": 0, "entries_new": 3}
    for name, guid in {
        "none": "",
        "empty": "<guid></guid>",
        "spaces": "<guid>  </guid>",
        "same": "<guid>0</guid>",
        "controls": "<guid>\x01</guid>",
    }.items():
        yield case(name, "three entries, no GUID that tells them apart", of(guid, guid, guid), _READ, detail=ANY, more=three)
    yield case(
        "twice",
        "the same entry twice",
        feed_answer(rss(*["<guid>1</guid><title>A</title>"] * 2)),
        _READ,
        detail="1 entries repeat the key of another and were left out",
        more={"entries_seen": 2, "entries_repeated": 1},
    )
    yield case(
        "markup",
        "markup in a GUID",
        of("<guid>&lt;script&gt;</guid>", "<guid><b>x</b></guid>", "<guid>'; DROP TABLE entries; --</guid>"),
        _READ,
        more=three,
    )
    yield case(
        "case", "GUIDs that differ in their case", of("<guid>a</guid>", "<guid>A</guid>", "<guid>\xe4</guid>"), _READ, more=three
    )
