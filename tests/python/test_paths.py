"""No spelling of a path reaches the dashboard without proof, or sends anybody elsewhere."""

from __future__ import annotations

import pytest

from support.checks import assert_local, assert_no_way_in
from support.program import Demo, running
from support.wire import Reply, head_of, parse_replies, talk

DOT_SEGMENTS = [
    "/ops/static/../queues",
    "/ops/static/%2e%2e/queues",
    "/ops/static/%2E%2E/queues",
    "/ops/static/.%2e/queues",
    "/ops/static/%252e%252e/queues",
    "/ops/static/%25252e%25252e/queues",
    "/ops/static/%252e./queues",
    "/ops/static/..%2fqueues",
    "/ops/static/..%252fqueues",
    "/ops/static%2f..%2fqueues",
    "/ops/static%2f%2e%2e%2fqueues",
    "/ops/static/..;/queues",
    "/ops/static/..;x=y/queues",
    "/ops/static/..%3b/queues",
    "/ops/static/%2e%2e%3b/queues",
    "/ops/static/.;/../queues",
    "/ops/static/x;/../../queues",
    "/ops/static/./app.css",
    "/ops/static/%2e/app.css",
    "/ops/static/..\\queues",
    "/ops/static\\..\\queues",
    "/ops/static/..%5cqueues",
    "/ops/static/%5c..%5cqueues",
    "/ops/static/..%255cqueues",
    "/ops/static/%c0%ae%c0%ae/queues",
    "/ops/static/..%c0%afqueues",
    "/ops/static/..%00/queues",
    "/ops/static/%00/../queues",
    "/ops/static/..%0d%0a/queues",
    "/ops/static/..%3f/queues",
    "/ops/static/..%23/queues",
    "/ops/static/..?/queues",
    "/ops/static/x/../../../ops/queues",
    "/ops/static/../../ops/queues",
    "/ops/healthz/../queues",
    "/ops/healthz/%2e%2e/queues",
    "/ops/healthz;/../queues",
    "/ops/login/../queues",
    "/ops/login/%2e%2e/queues",
    "/ops/login%2f..%2fqueues",
    "/ops/login;x/../queues",
    "/ops/./queues",
    "/ops/../ops/queues",
    "/x/../ops/queues",
    "/./ops/queues",
    "/%2e/ops/queues",
]

EMPTY_SEGMENTS = [
    "/ops//queues",
    "//ops/queues",
    "//ops//queues",
    "/ops/static//../queues",
    "/ops//static/app.css/../../queues",
    "/ops/static//app.css",
    "/ops/%2fqueues",
    "/ops/queues//",
]

NOT_PUBLIC = [
    "/ops/queues/",
    "/ops/queues;.css",
    "/ops/queues;/static/app.css",
    "/ops/queues%3b.css",
    "/ops/queues%3f.css",
    "/ops/queues%23/static/app.css",
    "/ops/queues%00.css",
    "/ops/queues%20",
    "/ops/queues.css",
    "/ops/%71ueues",
    "/ops/que%75es",
    "/ops/queues?/ops/static/app.css",
    "/ops/queues?x=/static/../login",
    "/ops/queues/login",
    "/ops/queues/static/app.css",
    "/ops/staticx",
    "/ops/staticx/app.css",
    "/ops/static.css",
    "/ops/healthzz",
    "/ops/login2",
    "/ops/loginx/app.css",
    "/ops/login/deeper",
    "/ops/logout/deeper",
    "/ops/Static/app.css",
    "/ops/HEALTHZ",
    "/ops/Login",
]

OUTSIDE = ["/", "/queues", "/opslogin", "/opsx", "/ops2/queues", "/ops-x", "/op", "/OPS/queues", "/login", "/events"]
OUTSIDE += ["/static/app.css", "/healthz", "/favicon.ico", "/robots.txt", "/.well-known/x"]

ODD_MOUNTS = ["/%6fps/queues", "/ops%2fqueues", "/ops;/queues", "/ops%3b/queues", "/ops%5cqueues", "/ops\\queues"]

OTHER_AUTHORITIES = [
    "//evil.example/x",
    "//evil.example/ops/queues",
    "///evil.example/x",
    "//evil.example",
    "/\\evil.example/x",
    "/%5cevil.example/x",
    "/%2fevil.example/x",
    "/.//evil.example/x",
    "/ops//evil.example/x",
    "/ops/%2f%2fevil.example",
    "/ops//evil.example/..",
    "/ops/\\evil.example",
    "/ops/..//evil.example/x",
    "/ops/@evil.example",
    "@evil.example/ops/queues",
]

ABSOLUTE = [
    "http://evil.example/",
    "http://evil.example/ops/queues",
    "http://evil.example/ops/static/../queues",
    "http://evil.example//evil.example/x",
    "http://user:pass@evil.example/ops/queues",
    "https://evil.example/ops/queues",
    "ftp://evil.example/ops/queues",
    "javascript:alert(1)",
    "http:///ops/queues",
    "http://127.0.0.1/ops//evil.example",
    "*",
    "evil.example:443",
    "ops/queues",
    "../ops/queues",
    "?next=//evil.example",
    "#/ops/queues",
]


def raw_get(demo: Demo, target: str, method: str = "GET") -> Reply:
    """Sends the target untouched, and expects exactly one answer."""
    head = head_of(method, target, [("Host", "dashboard.example"), ("Connection", "close")])
    replies = parse_replies(talk(demo.address, head, half_close=True))
    assert len(replies) == 1
    return replies[0]


@pytest.mark.parametrize("target", DOT_SEGMENTS)
def test_t09_dot_segments_never_reach_the_dashboard(demo: Demo, target: str) -> None:
    assert_no_way_in(raw_get(demo, target))


@pytest.mark.parametrize("target", EMPTY_SEGMENTS)
def test_t09_empty_segments_never_reach_the_dashboard(demo: Demo, target: str) -> None:
    assert_no_way_in(raw_get(demo, target))


@pytest.mark.parametrize("target", NOT_PUBLIC)
def test_t09_t11_public_means_exactly_that_path(demo: Demo, target: str) -> None:
    reply = raw_get(demo, target)
    assert_no_way_in(reply)
    assert reply.status in (303, 400), "behind the gate, a stranger does not learn what exists"


@pytest.mark.parametrize("target", OUTSIDE)
def test_t10_outside_the_mount_there_is_nothing(demo: Demo, target: str) -> None:
    reply = raw_get(demo, target)
    assert_no_way_in(reply)
    assert reply.status in (404, 400)


@pytest.mark.parametrize("target", ODD_MOUNTS)
def test_t10_an_odd_spelling_of_the_mount_opens_nothing(demo: Demo, target: str) -> None:
    assert_no_way_in(raw_get(demo, target))


@pytest.mark.parametrize("target", ["/", "/queues", "/opslogin", "/opsqueues", "/login", "/static/app.css"])
def test_t10_outside_the_mount_a_token_opens_nothing_either(demo: Demo, target: str) -> None:
    assert demo.get(target, token=demo.mint()).status == 404


@pytest.mark.parametrize("target", OTHER_AUTHORITIES)
def test_t01_t04_nobody_is_sent_to_another_authority(demo: Demo, target: str) -> None:
    reply = raw_get(demo, target)
    assert_no_way_in(reply)
    assert "evil.example/" not in (reply.header("Location") or "")


@pytest.mark.parametrize("target", ABSOLUTE)
def test_absolute_and_other_forms_of_a_target_reach_nothing(demo: Demo, target: str) -> None:
    reply = raw_get(demo, target)
    assert_no_way_in(reply)
    assert not (reply.header("Location") or "/").startswith(("http", "//"))


@pytest.mark.parametrize(
    ("method", "target"), [("CONNECT", "evil.example:443"), ("CONNECT", "/ops/ws"), ("OPTIONS", "*")]
)
def test_methods_with_targets_of_their_own_reach_nothing(demo: Demo, method: str, target: str) -> None:
    assert_no_way_in(raw_get(demo, target, method))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PROPFIND"])
@pytest.mark.parametrize("target", ["/ops/static/../queues", "/ops/static/%2e%2e/queues", "//evil.example/x"])
def test_t09_unsafe_methods_have_no_other_paths(demo: Demo, method: str, target: str) -> None:
    assert_no_way_in(raw_get(demo, target, method))


@pytest.mark.parametrize("target", ["/ops/static/app.css", "/ops/static/app.css?v=1", "/ops/healthz"])
def test_t09_what_is_public_is_served(demo: Demo, target: str) -> None:
    assert raw_get(demo, target).status == 200


@pytest.mark.parametrize(
    "target",
    [
        "/ops/static/a;b.css",
        "/ops/static/x%20y.png",
        "/ops/static/...",
        "/ops/static/..css",
        "/ops/static/app..css",
        "/ops/static/100%25.png",
        "/ops/static/a/b/c.css",
    ],
)
def test_t09_ordinary_names_under_a_public_prefix_need_no_token(demo: Demo, target: str) -> None:
    """They do not exist, and the demo says so: the gate let them pass."""
    assert raw_get(demo, target).status == 404


@pytest.mark.parametrize("mount", ["/a/b", "/ops/"])
def test_t04_another_mount_is_carried_by_every_redirect(runtime: str, secret: str, mount: str) -> None:
    folded = mount.rstrip("/")
    with running(runtime, secret=secret, mount=mount) as demo:
        location = demo.get(f"{folded}/queues").header("Location")
        assert location is not None
        assert location.partition("?")[0] == f"{folded}/login"
        assert_local(location, folded)
        assert demo.get(f"{folded}/", token=demo.mint()).status == 200
        assert demo.get(f"{folded}/login").status == 200
        assert demo.get("/ops/queues" if folded != "/ops" else "/queues").status == 404
