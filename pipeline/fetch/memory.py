"""What is known of hosts from earlier calls of `fetch`, and what a call adds to it. Holds state, no I/O."""

from dataclasses import dataclass, field, replace

from schemas.web import HostSeen, RobotsSeen


@dataclass(slots=True)
class Memory:
    """Hosts by name, robots.txt by origin, each as last seen; `hosts_new` and `robots_new` are what was learnt since."""

    hosts: dict[str, HostSeen] = field(default_factory=dict)
    robots: dict[str, RobotsSeen] = field(default_factory=dict)
    hosts_new: dict[str, HostSeen] = field(default_factory=dict)
    robots_new: dict[str, RobotsSeen] = field(default_factory=dict)

    def note_host(self, seen: HostSeen) -> None:
        before = self.hosts_new.get(seen.host)
        whole = replace(seen, requests=seen.requests + before.requests) if before else seen
        self.hosts[seen.host] = self.hosts_new[seen.host] = whole

    def note_robots(self, seen: RobotsSeen) -> None:
        self.robots[seen.origin] = self.robots_new[seen.origin] = seen
