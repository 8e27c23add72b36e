"""AsyncMQ's gate and ours, side by side, on the same requests: equal, or different as `differences` says."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import combinations, product
from types import MappingProxyType, SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from asyncmq.contrib.dashboard.admin import AuthGateMiddleware as TheirGate
from asyncmq.contrib.dashboard.admin import User as TheirUser
from differences import DIFFERENCES, Case, Outcome

from authgate import AuthGateMiddleware, ConfigError, User


def broken() -> Any:
    raise RuntimeError("the user store is away")


def users() -> dict[str, Callable[[], Any]]:
    found: dict[str, Callable[[], Any]] = {
        "nobody": lambda: None,
        "false": lambda: False,
        "zero": lambda: 0,
        "nothing": dict,
        "dict-admin": lambda: {"id": "ada", "name": "Ada", "is_admin": True},
        "dict-roles-ops": lambda: {"id": "ada", "is_admin": "on", "roles": ("ops", None, "")},
        "dict-role-list-admin": lambda: {"id": "ada", "roles": {"asyncmq:admin"}},
        "dict-roles-mapping": lambda: {"id": "ada", "roles": {"admin": True, "ops": True}},
        "dict-without-id": lambda: {"is_admin": True, "roles": "ops"},
        "dict-int-roles": lambda: {"id": 7, "is_admin": True, "roles": [5, "ops"]},
        "dict-no-rights": lambda: {"id": "eve", "is_admin": 1, "roles": None},
        "mapping": lambda: MappingProxyType({"id": "ada", "is_admin": "YES", "roles": ["ops"]}),
        "object": lambda: SimpleNamespace(id=5, name="x", is_admin=True, roles=["ops"]),
        "object-without-id": lambda: SimpleNamespace(is_admin=True),
        "object-no-rights": lambda: SimpleNamespace(id="eve", is_admin=[True], roles=None),
        "text": lambda: "ada",
        "true": lambda: True,
        "smuggled-dict-role": lambda: {"id": "eve", "role": "admin"},
        "smuggled-dict-role-ops": lambda: {"id": "eve", "is_admin": True, "role": ["ops"]},
        "smuggled-dict-claims-roles": lambda: {"id": "eve", "claims": {"roles": ["admin", "ops"]}},
        "smuggled-dict-claims-role": lambda: {"id": "eve", "claims": {"role": "admin"}},
        "smuggled-dict-claims-admin": lambda: {"id": "eve", "claims": {"is_admin": True}},
        "smuggled-dict-claims-word": lambda: {"id": "eve", "claims": {"admin": "1"}},
        "smuggled-object-extra": lambda: SimpleNamespace(id="eve", extra={"roles": ["admin", "ops"]}),
        "rubbish-id-list": lambda: {"id": ["ada"], "is_admin": True},
        "rubbish-id-bytes": lambda: {"id": b"ada", "is_admin": True},
        "rubbish-id-true": lambda: {"id": True, "is_admin": True},
        "rubbish-id-empty": lambda: {"id": "", "is_admin": True},
        "rubbish-roles": lambda: {"id": "ada", "is_admin": True, "roles": 5},
        "raises": broken,
    }
    for label, made in (("theirs", TheirUser), ("ours", User)):
        make: Any = made
        found |= {
            f"{label}-admin": lambda make=make: make("ada", "Ada"),
            f"{label}-zero": lambda make=make: make(0, "Zero"),
            f"{label}-plain": lambda make=make: make("eve", "Eve", is_admin=False),
            f"{label}-word": lambda make=make: make("ada", "Ada", is_admin=" True "),
            f"{label}-no-word": lambda make=make: make("eve", "Eve", is_admin="truthy"),
            f"{label}-number": lambda make=make: make("eve", "Eve", is_admin=1),
            f"{label}-list": lambda make=make: make("eve", "Eve", is_admin=[True]),
            f"{label}-none": lambda make=make: make("eve", "Eve", is_admin=None),
            f"{label}-role-admin": lambda make=make: make("ada", "Ada", False, ["x", "admin"]),
            f"{label}-role-text": lambda make=make: make("ada", "Ada", False, "asyncmq:admin"),
            f"{label}-role-ops": lambda make=make: make("ada", "Ada", True, ["ops"]),
            f"{label}-ops-no-admin": lambda make=make: make("eve", "Eve", False, ["ops"]),
            f"{label}-roles-mapping": lambda make=make: make("eve", "Eve", False, {"admin": 1}),
            f"smuggled-{label}-role": lambda make=make: make("eve", "Eve", False, role="admin"),
            f"smuggled-{label}-role-ops": lambda make=make: make("eve", "Eve", True, role="ops"),
            f"{label}-claims": lambda make=make: make(
                "eve", "Eve", False, claims={"is_admin": True, "roles": "admin"}
            ),
        }
    return found


USERS = users()
HOST = ("host", "dash.example")
GOOD, EVIL = ("origin", "http://dash.example"), ("origin", "http://evil.example")
HTMX = ("hx-request", "true")

SETTINGS: list[dict[str, Any]] = [
    {},
    {"require_admin": False},
    {"required_roles": ("ops",)},
    {"require_admin": False, "required_roles": ["ops", "oncall"]},
    {"enforce_same_origin": False},
    {"login_path": "/signin"},
    {"login_path": "/account/sign-in", "require_admin": False},
    {"allowlist": ()},
    {"allowlist": ("/",)},
    {"allowlist": ["/static/", "/login", "/logout"]},
    {"allowlist": ("/public", "/login")},
    {"trusted_proxies": ("127.0.0.1",)},
    {"trusted_proxies": ("10.9.9.9", "unix")},
    {"trusted_proxies": ("127.0.0.0/8",)},
]
KINDS = ["http", "websocket", "carrier-pigeon"]
METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "post", "PROPFIND", "QUERY"]
ROOTS = ["", "/ops", "/ops/", "//evil.example"]
PATHS = [
    *("/", "/queues", "/login", "/logout", "/signin", "/account/sign-in", "/login/x", "/loginx", "/Login"),
    *("/static", "/static/", "/static/a.css", "/staticx", "/assets/b/c.js", "/public/x", "/static/a b.css"),
    *("/static/../queues", "/static/./a", "/static//a", "//evil.example", "/static/..", "/café"),
    *(
        "/ops",
        "/ops/",
        "/ops/queues",
        "/ops/login",
        "/ops/static/a.css",
        "/opslogin",
        "/ops/static/../queues",
    ),
]
QUERIES = ["", "page=2&q=a%26b", "next=//evil.example"]
FIELDS: list[tuple[tuple[str, str], ...]] = [
    (HOST,),
    (HOST, GOOD),
    (HOST, EVIL),
    (HOST, ("origin", "null")),
    (HOST, ("origin", "HTTP://Dash.Example")),
    (HOST, ("origin", "http://dash.example:80")),
    (HOST, ("origin", "http://dash.example:8080")),
    (("host", "dash.example:8080"), ("origin", "http://dash.example:8080")),
    (HOST, ("origin", "https://dash.example")),
    (HOST, GOOD, EVIL),
    (HOST, ("sec-fetch-site", "same-origin")),
    (HOST, ("sec-fetch-site", "none"), EVIL),
    (HOST, ("sec-fetch-site", "same-site"), GOOD),
    (HOST, ("sec-fetch-site", "cross-site"), GOOD),
    (HOST, HTMX),
    (HOST, HTMX, GOOD),
    (HOST, HTMX, ("hx-current-url", "http://dash.example/ops/queues?page=3")),
    (HOST, HTMX, ("hx-current-url", "http://evil.example/ops/queues")),
    (HOST, ("hx-request", "yes")),
    (HOST, ("accept", "application/json")),
    (HOST, ("sec-fetch-mode", "cors"), ("sec-fetch-site", "same-origin")),
    (HOST, ("upgrade", "websocket"), ("connection", "upgrade")),
    (HOST, HOST, GOOD),
    (("host", "dash.example/evil"), GOOD),
    (),
    (
        HOST,
        ("x-forwarded-host", "out.example"),
        ("x-forwarded-proto", "https"),
        ("origin", "https://out.example"),
    ),
    (HOST, ("x-forwarded-host", "out.example, in.example"), ("origin", "http://out.example")),
    (HOST, ("x-forwarded-host", "out.example, in.example"), ("origin", "http://in.example")),
    (
        HOST,
        ("x-forwarded-port", "8443"),
        ("x-forwarded-proto", "https"),
        ("origin", "https://dash.example:8443"),
    ),
    (HOST, ("referer", "http://dash.example/ops/queues?page=3"), EVIL),
    (HOST, ("authorization", "Bearer x")),
]
CLIENTS: list[Any] = [("127.0.0.1", 4000), None, ("192.0.2.7", 4000)]
FACTORS: list[list[Any]] = [SETTINGS, KINDS, METHODS, ROOTS, PATHS, QUERIES, FIELDS, list(USERS), CLIENTS]
# What most requests are like; one or two things at a time are otherwise.
USUAL: list[list[Any]] = [
    [{}, "http", "GET", "", "/queues", "", (HOST,), "nobody", CLIENTS[0]],
    [{}, "http", "POST", "/ops", "/ops/queues", "", (HOST, GOOD), "theirs-admin", CLIENTS[0]],
    [{}, "http", "POST", "", "/queues", "", (HOST,), "ours-admin", CLIENTS[0]],
]


def cases(seed: int = 7, more: int = 6_000) -> Iterator[Case]:
    """Every pair of factors around what is usual, and requests at random."""
    for usual in USUAL:
        for first, second in combinations(range(len(FACTORS)), 2):
            for one, other in product(FACTORS[first], FACTORS[second]):
                chosen = list(usual)
                chosen[first], chosen[second] = one, other
                yield Case(*chosen)
    dice = random.Random(seed)
    for _ in range(more):
        yield Case(*(dice.choice(factor) for factor in FACTORS))


async def outcome(make: Any, case: Case) -> Outcome:
    """What one of the two gates makes of a request."""
    known: list[Any] = []

    async def authenticate(request: Any) -> Any:
        known.append(USERS[case.user]())
        return known[0]

    seen: list[Any] = []
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": case.kind,
        "path": case.path,
        "root_path": case.root,
        "query_string": case.query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in case.fields],
        "client": case.client,
        "scheme": "ws" if case.kind == "websocket" else "http",
    }
    if case.kind == "http":
        scope["method"] = case.method
    gate = make(app, authenticate, **case.settings)
    try:
        await gate(scope, receive, send)
    except Exception:
        return Outcome("raised")
    if seen:
        user = (seen[0].get("state") or {}).get("user")
        assert user is None or user is known[0], "somebody else was let through"
        return Outcome("forward", user=user)
    if sent[0]["type"] == "websocket.close":
        return Outcome("closed")
    fields = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    address = fields.get("location") or fields.get("hx-redirect")
    parts = urlsplit(address or "")
    # Their address may be another host's (t04); then it is no path.
    path = parts.path if not parts.netloc else address
    leads = None if address is None else (path or "", parse_qs(parts.query).get("next", [None])[0])
    text = b"".join(message.get("body", b"") for message in sent[1:]).decode()
    return Outcome("answer", sent[0]["status"], text, leads)


def same(theirs: Outcome, ours: Outcome) -> bool:
    """Equal in all that a client or the dashboard can tell; a person may read more words."""
    if (theirs.kind, theirs.status, theirs.leads) != (ours.kind, ours.status, ours.leads):
        return False
    return (theirs.user is None) == (ours.user is None) and (theirs.text in ours.text or not ours.text)


@pytest.fixture(scope="module")
def compared() -> list[tuple[Case, Outcome, Outcome]]:
    async def compare() -> list[tuple[Case, Outcome, Outcome]]:
        return [
            (case, await outcome(TheirGate, case), await outcome(AuthGateMiddleware, case))
            for case in cases()
        ]

    return asyncio.run(compare())


def test_both_gates_agree_but_for_the_differences_that_are_listed(compared: Any) -> None:
    unexplained = [
        (case, theirs, ours)
        for case, theirs, ours in compared
        if not same(theirs, ours) and not any(one.applies(case, theirs, ours) for one in DIFFERENCES)
    ]
    assert len(compared) > 10_000
    assert not unexplained, f"{len(unexplained)}, the first: {unexplained[:3]}"


def test_t32_ours_lets_nothing_through_that_theirs_does_not_unless_it_is_listed(compared: Any) -> None:
    lenient = [one for one in DIFFERENCES if one.lenient]
    for case, theirs, ours in compared:
        if ours.passes and not theirs.passes:
            assert any(one.applies(case, theirs, ours) for one in lenient), (case, theirs, ours)


def test_every_difference_that_is_listed_exists(compared: Any) -> None:
    found: Counter[str] = Counter()
    for case, theirs, ours in compared:
        if not same(theirs, ours):
            found.update(one.name for one in DIFFERENCES if one.applies(case, theirs, ours))
    assert {one.name for one in DIFFERENCES} == set(found)


def test_t01_no_next_of_ours_leaves_the_site(compared: Any) -> None:
    for case, _, ours in compared:
        if ours.leads is not None:
            address, back = ours.leads
            assert address.startswith("/") and not address.startswith("//"), (case, ours)
            assert back is None or (back.startswith("/") and not back.startswith(("//", "/\\"))), (case, ours)


@pytest.mark.parametrize(
    "settings",
    [
        {"allowlist": ("",)},
        {"allowlist": ("static",)},
        {"allowlist": ("/a/../b",)},
        {"trusted_proxies": ("*",)},
        {"trusted_proxies": ("proxy.internal",)},
        {"required_roles": ("",)},
        {"login_path": "login"},
        {"login_path": "//evil.example"},
    ],
    ids=str,
)
def test_t36_settings_that_asyncmq_takes_and_that_mean_nothing_good_are_refused(
    settings: dict[str, Any],
) -> None:
    async def nobody(_: Any) -> None: ...

    TheirGate(nobody, nobody, **settings)
    with pytest.raises(ConfigError) as refused:
        AuthGateMiddleware(nobody, nobody, **settings)
    assert refused.value.argument == next(iter(settings))
