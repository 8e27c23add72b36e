"""What is refused at construction: by name, as a mistake of the program's or of the setting's."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from authgate import (
    Access,
    AuthGateMiddleware,
    ConfigError,
    JWTAuthBackend,
    Sessions,
    SimpleUsernamePasswordBackend,
    Throttle,
)
from authgate.wsgi import AuthGate

from world import SECRET, asgi_dashboard, ask_wsgi, environ_of, password, sealed, verify, wsgi_dashboard


def make(kind: str, **settings: Any) -> Any:
    if kind == "asgi":
        return AuthGateMiddleware(settings.pop("app", asgi_dashboard), **settings)
    return AuthGate(settings.pop("app", wsgi_dashboard), **settings)


@dataclass
class Made:
    """A value that is refused as it is made."""

    make: Callable[[], Any]


MISTAKES: list[tuple[str, Any, type[Exception]]] = [
    ("app", None, TypeError),
    ("app", 5, TypeError),
    ("backend", 5, TypeError),
    ("backend", object(), TypeError),
    ("backend", "password", TypeError),
    ("backend", [password(), None], TypeError),
    ("backend", [], ConfigError),
    ("backend", verify, TypeError),
    ("backend", [password(), password()], ConfigError),
    ("login_path", None, TypeError),
    ("login_path", "login", ConfigError),
    ("login_path", "", ConfigError),
    ("login_path", "/a/../b", ConfigError),
    ("login_path", "/log\r\nin", ConfigError),
    ("logout_path", "/login", ConfigError),
    ("logout_path", b"/logout", TypeError),
    ("logout_path", "//x", ConfigError),
    ("mount", 5, TypeError),
    ("mount", "ops", ConfigError),
    ("mount", "//evil.example", ConfigError),
    ("mount", "/a/../b", ConfigError),
    ("allowlist", "/static", TypeError),
    ("allowlist", [""], ConfigError),
    ("allowlist", ["static"], ConfigError),
    ("allowlist", ["/"], ConfigError),
    ("allowlist", ["/static/../x"], ConfigError),
    ("allowlist", [5], TypeError),
    ("allowlist", 5, TypeError),
    ("public_paths", "/x", TypeError),
    ("public_paths", ["x"], ConfigError),
    ("public_paths", 5, TypeError),
    ("trusted_proxies", "10.0.0.0/8", TypeError),
    ("trusted_proxies", ["10.0.0.0/33"], ConfigError),
    ("trusted_proxies", ["proxy"], ConfigError),
    ("trusted_proxies", [b"10.0.0.1"], TypeError),
    ("forwarded_fields", "x-real-ip", ConfigError),
    ("forwarded_fields", 5, TypeError),
    ("allowed_hosts", "dash.example", TypeError),
    ("allowed_hosts", ["http://dash.example"], ConfigError),
    ("allowed_hosts", ["a/b"], ConfigError),
    ("identity_headers", "X-User", TypeError),
    ("identity_headers", ["X User"], ConfigError),
    ("realm", None, TypeError),
    ("realm", 'a"b\r\n', ConfigError),
    ("title", 5, TypeError),
    ("logo", b"logo", TypeError),
    ("texts", "texts", TypeError),
    ("texts", {"sign_in": 5}, TypeError),
    ("texts", {5: "x"}, TypeError),
    ("texts", {"nothing_of_ours": "x"}, ConfigError),
    ("access", "admins", TypeError),
    ("access", Made(lambda: Access.admins(or_roles="ops")), TypeError),
    ("access", Made(lambda: Access(admin_roles=("ops",))), ConfigError),
    ("session", Made(lambda: Sessions.records().using(idel=5)), TypeError),
    ("allowlist", ["/static/*"], ConfigError),
    ("allowlist", (path for path in ["/static"]), TypeError),
    ("backend", SimpleUsernamePasswordBackend, TypeError),
    ("backend", verify, TypeError),
    ("backend", [JWTAuthBackend(secret=SECRET), password()], ConfigError),
    ("access", Made(lambda: Access.role()), ConfigError),
    ("access", Made(lambda: Access(any_role="ops")), TypeError),  # type: ignore[arg-type]
    ("session", "sealed", TypeError),
    ("session", Sessions.sealed("short"), ConfigError),
    ("session", Made(lambda: sealed(idle=-1)), ConfigError),
    ("session", Made(lambda: sealed(idle=float("nan"))), ConfigError),
    ("session", Made(lambda: sealed(idle="1800")), TypeError),
    ("session", sealed(lifetime=10**10), ConfigError),
    ("session", sealed(cookie_name="a b"), ConfigError),
    ("session", sealed(cookie_path="ops"), ConfigError),
    ("session", sealed(same_site="none"), ConfigError),
    ("throttle", 10, TypeError),
    ("throttle", Throttle(tries=0), ConfigError),
    ("throttle", Made(lambda: Throttle(first_delay=-1)), ConfigError),
    ("throttle", Made(lambda: Throttle(entries="many")), TypeError),  # type: ignore[arg-type]
    ("deadline", 0, ConfigError),
    ("deadline", -1, ConfigError),
    ("deadline", float("nan"), ConfigError),
    ("deadline", "5", TypeError),
    ("deadline", None, TypeError),
    ("clock", 5, TypeError),
    ("on_event", "log", TypeError),
    ("login_page", "<form>", TypeError),
    ("enforce_same_origin", True, TypeError),
    ("require_admin", False, TypeError),
    ("required_roles", ["ops"], TypeError),
]


@pytest.mark.parametrize(("keyword", "value", "kind_of_error"), MISTAKES, ids=lambda value: repr(value)[:40])
def test_a_mistake_is_refused_by_name(
    kind: str, keyword: str, value: Any, kind_of_error: type[Exception]
) -> None:
    with pytest.raises(kind_of_error) as caught:
        value = value.make() if isinstance(value, Made) else value
        make(kind, **{"backend": password(), "session": sealed(), keyword: value})
    assert keyword in str(caught.value), caught.value
    assert isinstance(caught.value, ConfigError) == (kind_of_error is ConfigError)
    if isinstance(caught.value, ConfigError):
        assert caught.value.argument == keyword
    assert SECRET not in str(caught.value)


OTHER_WAY: list[tuple[str, Any]] = [
    ("session", sealed()),
    ("access", Access()),
    ("texts", {"sign_in": "x"}),
    ("throttle", Throttle()),
    ("login_page", lambda form: "<form>"),
]


@pytest.mark.parametrize(("keyword", "value"), OTHER_WAY, ids=lambda value: str(value)[:20])
def test_what_goes_with_the_other_way_in_is_refused_by_name(kind: str, keyword: str, value: Any) -> None:
    with pytest.raises(TypeError, match=f"^{keyword}:.*backend="):
        make(kind, authenticate=lambda request: None, **{keyword: value})


DROP_IN: list[tuple[str, Any, type[Exception]]] = [
    ("authenticate", 5, TypeError),
    ("required_roles", "ops", TypeError),
    ("required_roles", [5], TypeError),
    ("allowlist", [""], ConfigError),
    ("trusted_proxies", ["nobody"], ConfigError),
    ("login_path", "login", ConfigError),
    ("deadline", 0, ConfigError),
]


@pytest.mark.parametrize(("keyword", "value", "kind_of_error"), DROP_IN, ids=lambda value: repr(value)[:40])
def test_a_mistake_with_a_function_is_refused_by_name(
    kind: str, keyword: str, value: Any, kind_of_error: type[Exception]
) -> None:
    with pytest.raises(kind_of_error, match=keyword):
        make(kind, **{"authenticate": lambda request: None, keyword: value})


def test_there_is_one_way_in(kind: str) -> None:
    for settings in ({}, {"backend": password(), "authenticate": lambda request: None}):
        with pytest.raises(TypeError, match="either `backend=…`"):
            make(kind, **settings)


def test_public_paths_go_with_either_way_in() -> None:
    gate = make("wsgi", authenticate=lambda request: None, public_paths=["/healthz"])
    assert ask_wsgi(gate, environ_of("GET", "/healthz")).status == 200
    assert ask_wsgi(gate, environ_of("GET", "/healthz/x")).status == 303


def test_sessions_that_nobody_makes_are_refused(kind: str) -> None:
    with pytest.raises(ConfigError, match="^session: no backend makes any"):
        make(kind, backend=JWTAuthBackend(secret=SECRET), session=sealed())


def test_t26_sessions_in_memory_are_warned_about_unless_they_are_asked_for(kind: str) -> None:
    with pytest.warns(UserWarning, match="memory") as caught:
        make(kind, backend=password())
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make(kind, backend=password(), session=Sessions.records())


@pytest.mark.parametrize("secret", [5, None, ["x"]])
def test_a_secret_is_text_or_bytes(secret: Any) -> None:
    with pytest.raises(TypeError, match="session: a secret"):
        Sessions.sealed(secret)
    with pytest.raises(ConfigError, match="no secret"):
        Sessions.sealed()


def test_no_secret_is_shown() -> None:
    assert SECRET not in repr(sealed()) and SECRET not in str(sealed())
    gate = make("asgi", backend=password(), session=sealed())
    assert SECRET not in repr(gate._plan) and SECRET not in repr(gate._plan.gate)


@pytest.mark.parametrize("store", [5, object(), dict, type("Half", (), {"load": None})()])
def test_a_store_has_all_that_it_needs(store: Any) -> None:
    with pytest.raises(TypeError, match="session:"):
        Sessions.records(store)


@pytest.mark.parametrize("keyword", ["verify", "look_up", "session_key", "login_template"])
def test_a_mistake_of_the_password_backend_is_refused_by_name(keyword: str) -> None:
    settings: dict[str, Any] = {"verify": verify, keyword: 5}
    with pytest.raises(TypeError, match=f"^{keyword}:"):
        SimpleUsernamePasswordBackend(**settings)


@pytest.mark.parametrize("method", ["authenticate", "login", "logout"])
def test_a_password_backend_with_pages_of_its_own_is_refused_rather_than_bypassed(method: str) -> None:
    own = type("Own", (SimpleUsernamePasswordBackend,), {method: lambda self, request: None})
    with pytest.raises(TypeError, match=f"backend: Own has a {method} of its own"):
        AuthGateMiddleware(nothing, backend=own(lambda username, password: None), session=Sessions.records())


async def nothing(*_: object) -> None:
    """No application."""
