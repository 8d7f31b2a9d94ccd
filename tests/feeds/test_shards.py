"""Which shard a host belongs to."""

from collections import Counter

from pipeline.feeds import shard_of


def test_a_host_keeps_its_shard_whatever_its_port_and_case() -> None:
    assert {shard_of(host, 1009) for host in ("news.example", "NEWS.example:8080", "news.example.", " news.example:443")} == {
        shard_of("news.example", 1009)
    }
    assert shard_of("[::1]:80", 1009) == shard_of("[::1]", 1009) != shard_of("[::2]", 1009)


def test_shards_are_the_same_on_every_machine() -> None:
    assert [shard_of(host, 8) for host in ("a.example", "b.example", "börse.example", "", "::1")] == [6, 3, 7, 4, 4]


def test_hosts_spread_evenly() -> None:
    counts = Counter(shard_of(f"host-{n}.example", 8) for n in range(4000))
    assert sorted(counts) == list(range(8))
    assert min(counts.values()) > 400
