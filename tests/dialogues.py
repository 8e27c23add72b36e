"""The tables of dialogues in `vectors/`, for drivers that are tested from Python: what is sent, and what must come of it.

It needs Python alone (and `cryptography` for one token), so that the tests of the program and those of the wheel share it.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence, Set
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from forged_tokens import HERE, tokens

NOW = 1_800_000_000
"""When each dialogue begins."""

LETS_IN = {"signed-in", "network", "public"}
"""The reasons for which somebody is let in."""

# The transport's own fields, and what the dashboard saw, which is compared by itself.
ASIDE = {"connection", "content-length", "date", "server", "transfer-encoding", "x-seen-rights", "x-seen-user"}
PLACES = {"{sealed}": "[A-Za-z0-9_-]+", "{hash}": "[A-Za-z0-9+/=]+"}
"""What stands in a wanted value for a sealed cookie or a session's secret, and for a digest."""


class Answer(Protocol):
    """What came back."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Sequence[tuple[str, str]]: ...
    @property
    def body(self) -> bytes: ...


@dataclass(frozen=True)
class Told:
    """What the audit trail was told of a visit."""

    outcome: str
    status: int | None
    reason: str
    detail: str
    user: str | None
    client: str
    kind: str
    line: str
    """Method and path of the request, or of the one that a proxy asked about."""


    @property
    def let_in(self) -> tuple[str | None] | None:
        """Who was let in, whether the gate passed the request on or told a proxy to."""
        return (self.user,) if self.outcome == "forward" or self.reason in LETS_IN else None


class Cannot(Exception):
    """A driver cannot make such a gate, or put such a request; why."""


class Driver(Protocol):
    """A way to one gate, for one dialogue."""

    def session(self, since: int) -> str:
        """The session's cookie, as a browser sends it, of Ada who signed in at that moment."""

    @property
    def untold(self) -> Set[str]:
        """The rights of which no dashboard is told."""

    def ask(self, request: Request, now: int, visit: Visit) -> tuple[Answer, list[Told]]:
        """Puts a visit's request at this moment, in a world that answers questions as the visit has it; or raises `Cannot`."""


@dataclass(frozen=True)
class Fault:
    """One thing that differs, and how."""

    name: str
    text: str


LET_IN = "let in"
"""The name of a fault that nothing excuses: somebody was let in whom the dialogue does not let in."""


@dataclass(frozen=True)
class Otherwise:
    """What a driver does otherwise than a dialogue says, and why. All that is named differs, and nothing else does."""

    why: str
    differs: frozenset[str]

    def __post_init__(self) -> None:
        assert self.differs and LET_IN not in self.differs, self


CANNOT = frozenset({"cannot"})


def cannot(why: str) -> Otherwise:
    """The driver raises `Cannot`, and says exactly this."""
    return Otherwise(why, CANNOT)


@dataclass(frozen=True)
class Request:
    """A request as it is sent."""

    method: str
    target: str
    version: str
    headers: list[tuple[str, str]]
    body: bytes = b""
    is_cut: bool = False  # the body's last byte does not come

    @classmethod
    def of(cls, text: str, form: str | None = None, *, is_cut: bool = False) -> Request:
        first, *lines = text.rstrip().split("\n")
        method, target, version = first.split(" ")
        fields = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        body = (form or "").encode()
        if form is not None:
            fields.append(("Content-Type", "application/x-www-form-urlencoded"))
            fields.append(("Content-Length", str(len(body))))
        return cls(method, target, version, fields, body[:-1] if is_cut else body, is_cut)

    @property
    def is_websocket(self) -> bool:
        return any(name.lower() == "upgrade" for name, _ in self.headers)

    @property
    def relative(self) -> str:
        """The target as a server tells it: without the authority of an absolute form."""
        return re.sub("^http://[^/]*", "", self.target)

    def raw(self, *more: tuple[str, str]) -> bytes:
        lines = [f"{name}: {value}" for name, value in [*self.headers, *more]]
        return "\r\n".join([f"{self.method} {self.target} {self.version}", *lines, "", ""]).encode() + self.body


@dataclass(frozen=True)
class Visit:
    """A request, and what must come of it."""

    wanted: Mapping[str, Any]

    @property
    def after(self) -> int:
        return int(self.wanted.get("after", 0))

    @property
    def times(self) -> int:
        return int(self.wanted.get("times", 1))

    @property
    def down(self) -> Set[str]:
        """The questions that cannot be answered meanwhile."""
        return frozenset(self.wanted.get("down", ()))

    @property
    def asked(self) -> Set[str]:
        """The questions that the gate asks."""
        return frozenset(self.wanted.get("asked", ()))

    def request(self, fill: Filler) -> Request:
        form = self.wanted.get("form")
        form = None if form is None else fill(form)
        return Request.of(fill(self.wanted["request"]), form, is_cut="ReadBody" in self.down)

    def told(self, request: Request) -> Told:
        """The one line of the audit trail."""
        wanted = self.wanted
        return Told(
            outcome=wanted["outcome"],
            status=wanted["status"] if wanted["outcome"] == "respond" else None,
            reason=wanted["reason"],
            detail=wanted.get("detail") or reasons()[wanted["reason"]],
            user=wanted.get("user"),
            client=wanted.get("client", "127.0.0.1"),
            kind=wanted.get("client_kind", "page"),
            line=wanted.get("about", f"{request.method} {request.relative.partition('?')[0]}"),
        )

    def faults(self, request: Request, answer: Answer, told: list[Told], untold: Set[str]) -> list[Fault]:
        """What differs."""
        kind, body = kinds()[self.wanted["kind"]], answer.body.decode()
        got: dict[str, list[str]] = {}
        for name, value in answer.headers:
            got.setdefault(name.lower(), []).append(value)
        faults = differing("status", self.wanted["status"], answer.status)
        faults += faults_of_audit(self.told(request), told)
        faults += self.faults_of_fields(kind, got) + self.faults_of_what_was_seen(got, untold)
        if self.wanted["request"].startswith("HEAD "):
            return faults + differing("body", "", body)
        return faults + self.faults_of_body(kind, body) + faults_of_style(body, got)

    def faults_of_fields(self, kind: Mapping[str, Any], got: Mapping[str, list[str]]) -> list[Fault]:
        """All fields are wanted ones, and all wanted ones are there, each as often as it is wanted."""
        faults = []
        wanted = {**kind.get("headers", {}), **self.wanted.get("headers", {})}
        for name in sorted({*wanted, *got} - {*ASIDE, *kind.get("aside", ())}):
            values = wanted.get(name, [])
            values = [values] if isinstance(values, str) else values
            if not all_match(values, got.get(name, [])):
                faults += differing(name, values, got.get(name, []))
        return faults

    def faults_of_what_was_seen(self, got: Mapping[str, list[str]], untold: Set[str]) -> list[Fault]:
        """The dashboard saw nobody but who is let in, with the rights that they have."""
        # Everybody is called by their id with a capital.
        who = self.wanted.get("user", "-").capitalize()
        rights = [right for right in self.wanted.get("rights", []) if right not in untold]
        seen = [(who, " ".join(rights))] if self.wanted["outcome"] == "forward" else []
        found = list(zip(got.get("x-seen-user", []), got.get("x-seen-rights", []), strict=True))
        return differing(LET_IN if found else "seen", seen, found)

    def faults_of_body(self, kind: Mapping[str, Any], body: str) -> list[Fault]:
        faults = []
        if not body.startswith(kind.get("begins", "")) or bool(body) == kind.get("empty", False):
            faults.append(Fault("body", f"wanted one of the kind {self.wanted['kind']}, got {body!r}"))
        for text in (kind.get("contains", ""), self.wanted.get("contains", "")):
            if text not in body:
                faults.append(Fault("body", f"wanted {text!r} in it, got {body!r}"))
        if "body" in self.wanted:
            faults += differing("body", self.wanted["body"], body)
        if "passed" in self.wanted:
            faults += differing("passed", f"passed: {' '.join(self.wanted['passed'])}", body)
        return faults


@dataclass(frozen=True)
class Dialogue:
    """Visits to one gate, in order and by one clock."""

    table: str
    settings: Mapping[str, Any]
    """The gate's."""
    given: Mapping[str, Any]

    @property
    def name(self) -> str:
        return f"{self.table}::{self.given['name']}"

    @property
    def visits(self) -> list[Visit]:
        return [Visit(given) for given in (self.given, *self.given.get("then", ()))]

    def is_for(self, driver: str) -> bool:
        return driver in self.given.get("only", [driver])

    def faults(self, driver: Driver) -> list[Fault]:
        """Takes all visits through the gate, and says what differs in the first that ends otherwise."""
        now, cookies = NOW, [""]  # the newest of all, then those of each visit
        for number, visit in enumerate(self.visits, 1):
            now += visit.after
            cookies.append("")
            for time in range(1, visit.times + 1):
                request = visit.request(Filler(driver, cookies))
                answer, told = driver.ask(request, now, visit)
                if faults := visit.faults(request, answer, told, driver.untold):
                    where = f"visit {number}, time {time}: {request.method} {request.target[:200]}"
                    return [Fault(fault.name, f"{fault.text} ({where})") for fault in faults]
                if cookie := cookie_of(answer):
                    cookies[0] = cookies[-1] = cookie
        return []


@functools.cache
def dialogues(driver: str) -> list[Dialogue]:
    """All that are for this driver."""
    found = []
    for path in sorted((HERE / "vectors").glob("*.toml")):
        table = tomllib.loads(path.read_text())
        found += [Dialogue(path.stem, table.get("gate", {}), given) for given in table["dialogue"]]
    return [dialogue for dialogue in found if dialogue.is_for(driver)]


def must_end_alike(
    dialogue: Dialogue, drive: Callable[[], AbstractContextManager[Driver]], otherwise: Mapping[str, Otherwise]
) -> None:
    """Nothing may differ but what `otherwise` names for the dialogue, or else for its whole table; and all of that must."""
    __tracebackhide__ = True  # of pytest's: what it says is all there is to see
    try:
        with drive() as driver:
            faults = dialogue.faults(driver)
    except Cannot as why:
        faults = [Fault("cannot", str(why))]
    excuse = otherwise.get(dialogue.name, otherwise.get(dialogue.table))
    differs = excuse.differs if excuse else frozenset()
    found = [f"{fault.name}: {fault.text}" for fault in faults]
    assert {fault.name for fault in faults} == differs, "\n".join([f"may differ: {sorted(differs)}; does:", *found])
    if excuse and differs == CANNOT:
        assert found == [f"cannot: {excuse.why}"]


@functools.cache
def reasons() -> dict[str, str]:
    """The sentence that the audit trail usually has for a reason."""
    return tomllib.loads((HERE / "reasons.toml").read_text())


@functools.cache
def kinds() -> dict[str, dict[str, Any]]:
    """What makes a body of each kind."""
    return tomllib.loads((HERE / "kinds.toml").read_text())


@dataclass(frozen=True)
class Filler:
    """Puts what they stand for where placeholders are in a request."""

    driver: Driver
    cookies: Sequence[str]

    def __call__(self, text: str) -> str:
        return re.sub(r"\{([a-z][a-z0-9.-]*)\}", self.value, text)

    def value(self, match: re.Match[str]) -> str:
        name, _, number = match[1].partition(".")
        if name == "cookie":
            assert (cookie := self.cookies[int(number or 0)]), f"{match[0]}: no such cookie has been set"
            return cookie
        if re.fullmatch("x[0-9]+", name):
            return "x" * int(name[1:])
        ages = {"session": 0, "idle": 31 * 60}
        return self.driver.session(NOW - ages[name]) if name in ages else tokens()[name]


def cookie_of(answer: Answer) -> str:
    """The session's cookie that an answer sets, as a browser sends it back; nothing if it sets none."""
    pairs = [value.split(";")[0] for name, value in answer.headers if name.lower() == "set-cookie"]
    return next((pair for pair in pairs if re.match("(__Host-)?authgate=.", pair)), "")


def differing(what: str, wanted: object, got: object) -> list[Fault]:
    return [] if wanted == got else [Fault(what, f"wanted {wanted!r}, got {got!r}")]


def all_match(wanted: Sequence[str], got: Sequence[str]) -> bool:
    """Whether the values of a field are the wanted ones, in this order."""
    return len(wanted) == len(got) and all(map(re.fullmatch, map(pattern, wanted), got))


def pattern(wanted: str) -> str:
    """The regular expression of a wanted value."""
    text = re.escape(wanted)
    for place, meaning in PLACES.items():
        text = text.replace(re.escape(place), meaning)
    return text


def faults_of_audit(wanted: Told, told: list[Told]) -> list[Fault]:
    """There is one line, and it says what is wanted."""
    lets_in = [one.let_in for one in told if one.let_in]
    faults = [] if lets_in in ([], [wanted.let_in]) else differing(LET_IN, wanted.let_in, lets_in)
    if len(told) != 1:
        return faults + [Fault("audit", f"wanted one line, got {told}")]
    for name, value in vars(wanted).items():
        faults += differing(f"audit's {name}", value, getattr(told[0], name))
    return faults


def faults_of_style(body: str, got: Mapping[str, list[str]]) -> list[Fault]:
    """The policy of a page allows its own style."""
    style = re.search("<style>(.*?)</style>", body, re.DOTALL)
    if style is None:
        return []
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = got.get("content-security-policy", [])
    return differing("style's policy", True, f"'sha256-{digest}'" in " ".join(policy))
