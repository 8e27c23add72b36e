"""Every intended difference between AsyncMQ's gate and ours in `authenticate=` mode. Any other is a fault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

SAFE = {"GET", "HEAD", "OPTIONS"}
THEIR_UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
FOREIGN = "Cross-origin dashboard request rejected"


@dataclass(frozen=True)
class Outcome:
    """What became of a request."""

    kind: str
    """`forward`, `answer`, `closed` or `raised`."""
    status: int = 0
    text: str = ""
    leads: tuple[str, str | None] | None = None
    """The address that somebody is sent to, and its `next`."""
    user: Any = field(default=None, compare=False)

    @property
    def passes(self) -> bool:
        return self.kind == "forward"

    @property
    def is_foreign(self) -> bool:
        return self.status == 403 and FOREIGN in self.text

    @property
    def to_login(self) -> bool:
        return self.kind == "answer" and self.leads is not None


@dataclass(frozen=True)
class Case:
    """One request, of one user, under some settings."""

    settings: dict[str, Any]
    kind: str
    method: str
    root: str
    path: str
    query: str
    fields: tuple[tuple[str, str], ...]
    user: str
    client: Any

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key == name]

    def one(self, name: str) -> str:
        return next(iter(self.all(name)), "")

    @property
    def below(self) -> str:
        """The path below the root, cut at a segment boundary."""
        root = self.root.rstrip("/")
        if root and (self.path == root or self.path.startswith(f"{root}/")):
            return self.path[len(root) :] or "/"
        return self.path

    @property
    def signs(self) -> bool:
        return self.below in (self.settings.get("login_path", "/login"), "/logout")

    @property
    def is_program(self) -> bool:
        upgrade = self.one("upgrade") == "websocket"
        mode = self.one("sec-fetch-mode") not in ("", "navigate")
        return upgrade or mode or self.one("accept") == "application/json"

    @property
    def names_a_list(self) -> bool:
        return any("," in self.one(f"x-forwarded-{what}") for what in ("host", "proto"))


@dataclass(frozen=True)
class Difference:
    """Where the two differ on purpose."""

    name: str
    row: str
    applies: Callable[[Case, Outcome, Outcome], bool]
    lenient: bool = False
    """Whether ours may let through what theirs does not."""


def is_plain(path: str) -> bool:
    segments = path.lstrip("/").rstrip("/").split("/") if path != "/" else []
    folded = path.startswith("//") or path.endswith("//")
    return not folded and all(segment not in ("", ".", "..") for segment in segments)


DIFFERENCES = [
    Difference(
        "the login leads back to the whole page: its query survives, and a fragment leads to its page",
        "t02, t05, t06",
        lambda case, theirs, ours: (
            theirs.to_login
            and ours.to_login
            and theirs.status == ours.status
            and theirs.leads is not None
            and ours.leads is not None
            and theirs.leads[0] == ours.leads[0]
        ),
    ),
    Difference(
        "programs, which cannot read a login page, get a 401",
        "t12",
        lambda case, theirs, ours: case.is_program and theirs.to_login and ours.status == 401,
    ),
    Difference(
        "websockets are gated", "t08", lambda case, theirs, ours: case.kind == "websocket" and theirs.passes
    ),
    Difference(
        "scopes of an unknown type are refused",
        "t08",
        lambda case, theirs, ours: case.kind not in ("http", "websocket") and ours.kind == "raised",
    ),
    Difference(
        "rights come from `is_admin` and `roles` alone, not from `role`, `extra` or `claims`",
        "t31",
        lambda case, theirs, ours: case.user.startswith("smuggled") and ours.status == 403,
    ),
    Difference(
        "every method that is not safe is guarded",
        "t17",
        lambda case, theirs, ours: case.method not in SAFE | THEIR_UNSAFE and ours.is_foreign,
    ),
    Difference(
        "`Sec-Fetch-Site: same-origin` or `none` is the browser's word that nobody else is behind a request",
        "t18",
        lambda case, theirs, ours: (
            case.all("sec-fetch-site") in (["same-origin"], ["none"]) and theirs.is_foreign
        ),
        lenient=True,
    ),
    Difference(
        "`Sec-Fetch-Site: same-site` or `cross-site` is foreign, whatever `Origin` says",
        "t18",
        lambda case, theirs, ours: (
            case.one("sec-fetch-site") in ("same-site", "cross-site") and ours.is_foreign
        ),
    ),
    Difference(
        "`Origin` is read, not compared as text: `HTTP://Dash.Example:80` is `http://dash.example`",
        "t18",
        lambda case, theirs, ours: (
            theirs.is_foreign and case.one("origin") in ("HTTP://Dash.Example", "http://dash.example:80")
        ),
        lenient=True,
    ),
    Difference(
        "a handshake that a server reports as a GET is a websocket's: it must come from our own origin",
        "t08, t18",
        lambda case, theirs, ours: (
            case.one("upgrade") == "websocket" and theirs.passes and ours.status == 403
        ),
    ),
    Difference(
        "two `Origin` fields are foreign", "t18", lambda case, theirs, ours: len(case.all("origin")) > 1
    ),
    Difference(
        "posts to login and logout are guarded, too, unless they say nothing about where they come from",
        "t15",
        lambda case, theirs, ours: case.signs and case.method not in SAFE and ours.is_foreign,
    ),
    Difference(
        "the login path is open whatever it is called; theirs redirects to itself forever",
        "t14",
        lambda case, theirs, ours: case.below == case.settings.get("login_path", "/login") and ours.passes,
        lenient=True,
    ),
    Difference(
        "a path that somebody may read in another way is never public",
        "t09",
        lambda case, theirs, ours: theirs.passes and not is_plain(case.path),
    ),
    Difference(
        "a mount ends at a segment boundary",
        "t10",
        lambda case, theirs, ours: (
            theirs.passes and case.path.startswith(case.root) and case.below == case.path
        ),
    ),
    Difference(
        "a `Host` that is none, and two of them, are 400",
        "t20",
        lambda case, theirs, ours: (
            ours.status == 400
            and (len(case.all("host")) > 1 or any(mark in case.one("host") for mark in "/@?#"))
        ),
    ),
    Difference(
        "a root path that could become another host is 400, and never echoed",
        "t04",
        lambda case, theirs, ours: ours.status == 400 and case.root.startswith("//"),
    ),
    Difference(
        "of several forwarded hosts, the nearest proxy's counts, and not the one that the client wrote",
        "t21",
        lambda case, theirs, ours: case.names_a_list and theirs.is_foreign != ours.is_foreign,
        lenient=True,
    ),
    Difference(
        "trusted proxies may be networks, which AsyncMQ compares as text",
        "t21",
        lambda case, theirs, ours: (
            any("/" in proxy for proxy in case.settings.get("trusted_proxies", ()))
            and theirs.is_foreign != ours.is_foreign
        ),
        lenient=True,
    ),
    Difference(
        "what identifies nobody is no user: 503 with a line in the log, or the login for an empty id",
        "t32",
        lambda case, theirs, ours: (
            case.user.startswith("rubbish") and (ours.status == 503 or not ours.passes)
        ),
    ),
    Difference(
        "what a backend raises is a 503 and a line in the log, not the server's 500",
        "t30, t32",
        lambda case, theirs, ours: theirs.kind == "raised" and ours.status == 503,
    ),
    Difference(
        "a mount with a slash at its end is folded; theirs then takes every path for another",
        "t04",
        lambda case, theirs, ours: len(case.root) > 1 and case.root.endswith("/"),
        lenient=True,
    ),
]
