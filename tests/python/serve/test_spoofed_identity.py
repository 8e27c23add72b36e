"""Who somebody is, and where they are, an upstream hears from the gate alone; and never with what they proved it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from serve.upstreams import Peer, Seen, Upstream, answer
from support import tokens
from support.people import Crowd, Person, newcomer
from support.program import Site, serving
from support.wire import Reply, head_of, parse_replies, talk

ROOT = "root"  # whom everybody here pretends to be

IDENTITY = [
    "X-Auth-User", "x-auth-user", "X_AUTH_USER", "x_auth_user", "X.Auth.User", "X-Auth_User", "x-AUTH-uSER",
    "X!Auth~User", "X'Auth*User", "X-Auth-Roles", "X_Auth_Roles", "Remote-User", "REMOTE_USER", "remote.user",
    "X-Remote-User", "X-Forwarded-User", "X_Forwarded_User", "X-Forwarded-Email", "X-Forwarded-Groups",
    "X-Forwarded-Preferred-Username", "X-WebAuth-User", "X-Grafana-Role", "x_grafana_role", "X.Grafana.Role",
    "X-User", "X-User-Id", "X-Authenticated-User", "X-Auth-Request-User", "X-Auth-Request-Email",
    "Cf-Access-Authenticated-User-Email", "Tailscale-User-Login", "X-Goog-Authenticated-User-Email",
    "X-Amzn-Oidc-Identity", "X-MS-Client-Principal-Name", "X-Authentik-Username", "X-Vouch-User", "X-Team", "x_team",
]  # fmt: skip

HEARSAY = [
    "X-Forwarded-For", "X_FORWARDED_FOR", "x.forwarded.for", "X-Forwarded-Proto", "X-Forwarded-Host",
    "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Server", "X-Forwarded-Client-Cert", "X-Forwarded",
    "Forwarded", "X-Real-IP", "X_Real_IP", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP", "X-Original-URL",
    "X-Original-URI", "X-Rewrite-URL", "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "Proxy",
    "Keep-Alive", "Proxy-Authorization", "Proxy-Connection", "TE", "Upgrade", "HTTP2-Settings",
]  # fmt: skip

MORE = ["--identity-header", "X-Grafana-Role", "--identity-header", "X-Team"]
KINDS: dict[str, list[str | Path]] = {
    "as it comes": [*MORE],
    "fields of its own": [*MORE[:2], "--user-header", "X-WebAuth-User", "--roles-header", "X-Team"],
    "told the token": [*MORE, "--pass-authorization"],
}


def sets_cookies(peer: Peer, seen: Seen) -> None:
    """Sets the session's cookie under every name that it could have, and its own."""
    seen.read(peer)
    ours = [f"Set-Cookie: {name}=root; Path=/" for name in ("authgate", "__Host-authgate", " authgate ")]
    answer(peer, seen, b"ok", *ours, "Set-Cookie: theirs=1", "Set-Cookie: authgate", "set-cookie: authgate=; Max-Age=0")


@dataclass
class Stage:
    """A gate before an upstream that notes what it is told."""

    site: Site
    upstream: Upstream
    user_field: str
    roles_field: str
    numbers: Iterator[int] = field(default_factory=count)

    def told(self, *headers: tuple[str, str], way: str = "in") -> Seen:
        """What reaches the upstream of a request with these fields."""
        path = f"/{way}/{next(self.numbers)}"
        proof = [tokens.bearer(self.site.mint(sub="ada", roles=["ops"]))] if way == "in" else []
        payload = head_of("GET", path, [("Host", "dash.example"), *proof, ("Connection", "close"), *headers])
        reply = parse_replies(talk(self.site.address, payload))[0]
        assert reply.status == 200, reply
        return self.upstream.only(path)


@pytest.fixture(scope="module", params=KINDS)
def stage(request: pytest.FixtureRequest, runtime: str, secret: str, crowd: Crowd) -> Iterator[Stage]:
    flags = KINDS[request.param]
    names = ("X-WebAuth-User", "X-Team") if "--user-header" in flags else ("X-Auth-User", "X-Auth-Roles")
    # Whoever says that they forward is not on this machine, as far as anybody knows, and so would need TLS.
    ours: list[str | Path] = ["--users-file", crowd.path, "--public-prefix", "/public", "--require-tls", "false"]
    with ExitStack() as opened:
        upstream = opened.enter_context(Upstream({"/cookies": sets_cookies}))
        site = opened.enter_context(serving(runtime, "--upstream", upstream.url, *ours, *flags, secret=secret))
        site.hide(crowd.password)
        yield Stage(site, upstream, *names)


def folded(name: str) -> str:
    """A field's name as the most lenient server reads it."""
    return "".join(letter if letter.isalnum() else "-" for letter in name.lower())


def spellings(seen: Seen, name: str) -> list[tuple[str, str]]:
    return [(key, value) for key, value in seen.fields if folded(key) == folded(name)]


def assert_nothing_of_root(seen: Seen) -> None:
    assert not [field for field in seen.fields if ROOT in field[1]], seen.fields


@pytest.mark.parametrize("way", ["in", "public"])
@pytest.mark.parametrize("name", [*IDENTITY, *HEARSAY])
def test_t22_what_a_client_says_of_itself_never_arrives(stage: Stage, name: str, way: str) -> None:
    fresh = {"forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"}
    if way == "in":
        fresh |= {folded(stage.user_field), folded(stage.roles_field)}
    cases = [(name.upper(), ROOT), (name.lower(), ROOT), (name, "")]
    for sent in ([(name, ROOT)], [(name, ROOT), (name, ROOT)], cases):
        seen = stage.told(*sent, way=way)
        assert_nothing_of_root(seen)
        assert len(spellings(seen, name)) == (folded(name) in fresh), seen.fields


def test_t22_all_of_them_at_once_never_arrive(stage: Stage) -> None:
    assert_nothing_of_root(stage.told(*[(name, ROOT) for name in [*IDENTITY, *HEARSAY]]))


def test_t22_the_gates_own_fields_arrive_once_and_as_written(stage: Stage) -> None:
    seen = stage.told(("X-Auth-User", ROOT), ("x_webauth_user", ROOT), ("X-Team", ROOT))
    assert spellings(seen, stage.user_field) == [(stage.user_field.lower(), "ada")]
    assert spellings(seen, stage.roles_field) == [(stage.roles_field.lower(), "ops")]
    host, client = "dash.example", "127.0.0.1"
    assert spellings(seen, "X-Forwarded-For") == [("x-forwarded-for", client)]
    assert spellings(seen, "X-Forwarded-Proto") == [("x-forwarded-proto", "http")]
    assert spellings(seen, "X-Forwarded-Host") == [("x-forwarded-host", host)]
    assert spellings(seen, "Forwarded") == [("forwarded", f'for={client};host="{host}";proto=http')]
    assert seen.all("Host") == [host]


def test_t22_nobody_is_named_where_nobody_has_to_be(stage: Stage) -> None:
    seen = stage.told(way="public")
    assert spellings(seen, stage.user_field) == spellings(seen, stage.roles_field) == []


@pytest.mark.parametrize(
    "user", ["é b", "a,b", "a%2Cb", "ada\r\nX-Auth-Roles: root", "ada\x00", "100 %", "a@b.example"]
)
def test_t22_an_id_is_percent_encoded(stage: Stage, user: str) -> None:
    path = f"/encoded/{next(stage.numbers)}"
    assert stage.site.get(path, token=stage.site.mint(sub=user, roles=["on,call", "é"])).status == 200
    seen = stage.upstream.only(path)
    plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~@"
    encoded = "".join(chr(byte) if chr(byte) in plain else f"%{byte:02X}" for byte in user.encode())
    assert seen.all(stage.user_field) == [encoded]
    assert seen.all(stage.roles_field) == ["on%2Ccall,%C3%A9"]


@pytest.mark.parametrize(
    "named", ["X-Auth-User", "x-auth-roles", "X-WebAuth-User", "X-Team", "X-Forwarded-For", "Forwarded"]
)
def test_t22_connection_takes_none_of_the_gates_fields_away(stage: Stage, named: str) -> None:
    for sent in ([], [(named, ROOT)]):
        seen = stage.told(("Connection", named), ("Connection", f"keep-alive, {named.upper()}, Host"), *sent)
        assert_nothing_of_root(seen)
        assert seen.all(stage.user_field) == ["ada"] and seen.all(stage.roles_field) == ["ops"]
        assert seen.all("X-Forwarded-For") == ["127.0.0.1"] and len(seen.all("Forwarded")) == 1
        assert seen.all("Host") == ["dash.example"] and seen.all("Connection") == []


def test_t22_authorization_arrives_only_if_it_is_asked_for(stage: Stage, request: pytest.FixtureRequest) -> None:
    seen = stage.told()
    is_told = "told the token" in request.node.name
    assert len(seen.all("Authorization")) == is_told
    assert all(value.startswith("Bearer ") for value in seen.all("Authorization"))


@pytest.fixture
def person(stage: Stage, crowd: Crowd) -> Person:
    somebody = newcomer(stage.site, crowd)
    somebody.sign_in()
    return somebody


def told_of(stage: Stage, person: Person, *headers: tuple[str, str]) -> tuple[Seen, Reply]:
    path = f"/person/{next(stage.numbers)}"
    reply = person.get(path, *headers)
    assert reply.status == 200
    return stage.upstream.only(path), reply


def test_t22_the_sessions_cookie_never_arrives_and_others_do(stage: Stage, person: Person) -> None:
    assert person.cookie is not None
    name, _, value = person.cookie.partition("=")
    for sent, arrives in [
        (person.cookie, []),
        (f"a=1; {person.cookie}; b=2", ["a=1; b=2"]),
        (f"a=1;{person.cookie};b=2", ["a=1; b=2"]),
        (f"{person.cookie}; {name}s=3; x{name}=4", [f"{name}s=3; x{name}=4"]),
    ]:
        lone = Person(stage.site, person.username, person.password, person.source)
        seen, _ = told_of(stage, lone, ("Cookie", sent))
        assert seen.all("Cookie") == arrives
        assert seen.all(stage.user_field) == [person.username]
        assert not [told for told in seen.fields if value in told[1]]


def test_t22_a_cookie_in_a_field_of_its_own_does_not_hide_the_sessions(stage: Stage, person: Person) -> None:
    seen, _ = told_of(stage, person, ("Cookie", "a=1"), ("Connection", "close, Cookie"))
    assert seen.all("Cookie") == ["a=1"]


def test_t22_an_upstream_cannot_set_the_session(stage: Stage, person: Person) -> None:
    reply = person.get("/cookies")
    assert reply.status == 200
    assert reply.all("Set-Cookie") == ["theirs=1"]
    assert person.is_in()
