"""The gate that a front door's keywords make, ASGI's and WSGI's alike."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from authgate import _core, _workers
from authgate._asking import Unanswered, ask_now
from authgate._checks import callables, paths, seconds, texts
from authgate._core import User
from authgate._hearing import Hearing
from authgate.access import Access, Throttle
from authgate.backends import AuthBackend
from authgate.errors import ConfigError, Unavailable
from authgate.events import OnEvent
from authgate.passwords import SimpleUsernamePasswordBackend
from authgate.sessions import Sessions, SessionStore, SharedStore
from authgate.tokens import JWTAuthBackend

ASYNCMQ_ALLOWLIST = ("/login", "/logout", "/static", "/assets")
ASYNCMQ_ADMIN_ROLES = ("admin", "asyncmq:admin")


TELLING = 1.0
"""How long a store may take to hear that somebody's sessions have ended, in seconds."""


@dataclass(frozen=True)
class Options:
    """What a front door was given, beyond the application and who knows the users."""

    login_path: str
    logout_path: str
    allowlist: Iterable[str] | None
    enforce_same_origin: bool | None
    require_admin: bool | None
    required_roles: Iterable[str]
    trusted_proxies: Iterable[str]
    session: Sessions | None
    access: Access | None
    mount: str
    public_paths: Iterable[str]
    forwarded_fields: str | None
    allowed_hosts: Iterable[str]
    identity_headers: Iterable[str]
    realm: str
    title: str
    logo: str | None
    texts: Mapping[str, str] | None
    throttle: Throttle | None
    login_page: Callable[..., Any] | None
    deadline: float
    clock: Callable[[], float] | None
    on_event: OnEvent | None


@dataclass(frozen=True)
class Plan:
    """A gate, and whom its questions are for."""

    gate: _core.Gate
    backends: Mapping[str, Any]
    """The backends that must be asked, by the names that the gate knows them by."""
    routes: Mapping[str, tuple[Any, bool]]
    """What answers the backends' own paths, and whether that is an application rather than a function of a request."""
    people: SimpleUsernamePasswordBackend | None
    keeps_records: bool
    """Whether sessions are records in this process's memory."""
    store: SessionStore | None
    """Where sessions are kept, or what has ended of those that are sealed."""
    asynchronous: SessionStore | None
    """The same, as it is asked from an event loop."""
    providers: Mapping[str, JWTAuthBackend]
    """The backends whose keys must be fetched, by the names that the gate knows them by."""
    deadline: float

    def sign_out_everywhere(self, user: User | str | int) -> None:
        """Ends all sessions of a user here, and tells whoever shares the store."""
        who = str(user.id if isinstance(user, User) else user)
        self.gate.sign_out_everywhere(who)
        store = self.store
        if isinstance(store, SharedStore):
            try:
                ask_now("the session store", TELLING, lambda: store.end_user(who, 0.0))
            except Unanswered as why:
                text = f"the sessions of {who!r} have ended here, and the other gates could not be told; call it again: {why}"
                raise Unavailable(text) from None


@dataclass(frozen=True)
class _Native:
    """What the native side reads; see `python/src/settings.rs`."""

    mount: str
    login_path: str
    logout_path: str
    public_paths: list[str]
    public_prefixes: list[str]
    access: Access
    cross_site: str
    trusted_proxies: list[str]
    forwarded_fields: str
    allowed_hosts: list[str]
    identity_headers: list[str]
    realm: str
    title: str
    logo: str | None
    texts: list[tuple[str, str]]
    session: Sessions | None
    throttle: Throttle | None


def plan(
    backend: AuthBackend | Sequence[AuthBackend] | None, authenticate: Callable[..., Any] | None, options: Options
) -> Plan:
    """Judges the keywords, and builds the gate.

    Raises `TypeError` for a keyword of the wrong type or of the other way in, and `ConfigError` for one of no use.
    """
    if (backend is None) == (authenticate is None):
        raise TypeError("give either `backend=…`, whose pages the gate serves, or `authenticate=…`, as AsyncMQ does")
    callables(clock=options.clock, on_event=options.on_event, login_page=options.login_page)
    seconds("deadline", options.deadline, positive=True)
    if authenticate is not None:
        return _around_a_function(authenticate, options)
    return _around_backends(backend, options)


def _around_a_function(authenticate: Callable[..., Any], options: Options) -> Plan:
    """AsyncMQ's way: the application has login and logout pages of its own."""
    if not callable(authenticate):
        raise TypeError(f"authenticate: a {type(authenticate).__name__} cannot be called; give a function of a request, or `backend=…`")
    for keyword in ("session", "access", "texts", "throttle", "login_page"):
        if getattr(options, keyword) is not None:
            raise TypeError(f"{keyword}: it goes with `backend=…`; with `authenticate=…` the application signs people in")
    owner = getattr(authenticate, "__self__", None)
    is_method = getattr(authenticate, "__func__", None) is JWTAuthBackend.authenticate
    tokens = owner if is_method and _is_native(owner) else None
    roles = texts("required_roles", options.required_roles)
    if "" in roles:
        raise ConfigError("required_roles", "required_roles: a role has an empty name; name it, or leave it out")
    allowlist = ASYNCMQ_ALLOWLIST if options.allowlist is None else options.allowlist
    listed = paths("allowlist", allowlist)
    admins_only = options.require_admin is None or bool(options.require_admin)
    access = Access(
        admins_only=admins_only,
        admin_roles=ASYNCMQ_ADMIN_ROLES if admins_only else (),
        any_role=tuple(roles) or None,
    )
    enforced = options.enforce_same_origin is None or bool(options.enforce_same_origin)
    native = _native(
        options,
        access=access,
        cross_site="silent-sign-in" if enforced else "allowed",
        forwarded_fields=options.forwarded_fields or "x-forwarded-host",
        # AsyncMQ opens a path and all below it; but of an entry that ends with a slash, as "/" does, that path alone.
        open_paths=[*(path for path in listed if path.endswith("/")), *paths("public_paths", options.public_paths)],
        prefixes=[path for path in listed if not path.endswith("/")],
    )
    gate = _core.Gate(
        [(tokens,)], native, keeps_records=False, clock=options.clock, on_event=options.on_event
    )
    return Plan(
        gate=gate,
        backends={"authenticate": _Function(authenticate)},
        routes={},
        people=None,
        keeps_records=False,
        store=None,
        asynchronous=None,
        providers={} if tokens is None else {"authenticate": tokens},
        deadline=options.deadline,
    )


@dataclass(frozen=True)
class _Function:
    """AsyncMQ's `authenticate=`, as a backend that is asked."""

    authenticate: Callable[[Any], Any]


def _around_backends(given: Any, options: Options) -> Plan:
    for keyword in ("enforce_same_origin", "require_admin"):
        if getattr(options, keyword) is not None:
            raise TypeError(f"{keyword}: it goes with `authenticate=…`; with `backend=…` give `access=Access.admins()`")
    if options.required_roles:
        raise TypeError("required_roles: it goes with `authenticate=…`; with `backend=…` give `access=Access.role(…)`")
    backends = list(given) if isinstance(given, list | tuple) else [given]
    if not backends:
        raise ConfigError("backend", "backend: there is none; give one, or several in the order of asking")
    specs: list[Any] = []
    asked: dict[str, Any] = {}
    routes: dict[str, tuple[Any, bool]] = {}
    people = None
    for backend in backends:
        if isinstance(backend, type):
            raise TypeError(f"backend: {backend.__name__} is a class; give one that is made: {backend.__name__}(…)")
        if _is_native(backend):
            specs.append(backend)
        elif isinstance(backend, SimpleUsernamePasswordBackend):
            if specs:
                text = "backend: the password backend signs people in, so it is the first; there is one, whose verify asks all"
                raise ConfigError("backend", text)
            for method in ("authenticate", "login", "logout", "check", "find"):
                if _overrides(backend, SimpleUsernamePasswordBackend, method):
                    text = f"backend: {type(backend).__name__} has a {method} of its own, which the gate would not call; "
                    raise TypeError(f"{text}write a backend that is no SimpleUsernamePasswordBackend")
            specs.append(False)
            people = backend
        elif isinstance(backend, AuthBackend):
            name = _name(backend, asked)
            asked[name] = backend
            own = [_route(route) for route in backend.routes() or ()]
            routes |= {path: (endpoint, is_app) for path, endpoint, is_app in own}
            specs.append((name, [path for path, _, _ in own]))
        else:
            remedy = "give SimpleUsernamePasswordBackend(verify)" if callable(backend) else (
                "it needs authenticate, login, logout and routes"
            )
            raise TypeError(f"backend: a {type(backend).__name__} is none; {remedy}")
    session = _session(options.session, people)
    native = _native(
        options,
        access=options.access or Access(),
        cross_site="refused",
        forwarded_fields=options.forwarded_fields or "x-forwarded",
        open_paths=paths("public_paths", options.public_paths),
        prefixes=paths("allowlist", options.allowlist or ()),
        session=session,
    )
    store = session.store if session is not None else None
    asynchronous: Any = getattr(store, "asynchronous", store)
    hearing = Hearing(store, asynchronous) if isinstance(store, SharedStore) else None
    keeps_records = session is not None and session.secrets is None and store is None
    gate = _core.Gate(
        specs,
        native,
        keeps_records=keeps_records,
        clock=options.clock,
        on_event=options.on_event,
        hearing=hearing,
    )
    tokens = next((spec for spec in specs if isinstance(spec, JWTAuthBackend)), None)
    return Plan(
        gate=gate,
        backends=asked,
        routes=routes,
        people=people,
        keeps_records=keeps_records,
        store=store,
        asynchronous=asynchronous,
        # Its own name for itself; there is one, as no two backends of a gate share a name.
        providers={} if tokens is None else {"jwt": tokens},
        deadline=options.deadline,
    )


def _is_native(backend: object) -> bool:
    """Whether a backend of tokens checks them as ours does. One with a check of its own is asked, as any other backend."""
    ours = ("authenticate", "authenticate_headers", "verify")
    return isinstance(backend, JWTAuthBackend) and not any(
        _overrides(backend, JWTAuthBackend, method) for method in ours
    )


def _overrides(backend: object, ours: type, method: str) -> bool:
    return method in vars(backend) or getattr(type(backend), method) is not getattr(ours, method)


def _session(session: Sessions | None, people: SimpleUsernamePasswordBackend | None) -> Sessions | None:
    if session is not None and not isinstance(session, Sessions):
        raise TypeError(f"session: a {type(session).__name__} is none; give Sessions.sealed(…) or Sessions.records(…)")
    if people is None:
        if session is not None:
            text = "session: no backend makes any; add a SimpleUsernamePasswordBackend, or leave it out"
            raise ConfigError("session", text)
        return None
    kept = session or Sessions.records()
    if not kept.shares and (kept.stale, kept.grace) != (Sessions.stale, Sessions.grace):
        text = "session: stale and grace go with a store that is shared; share one, or leave them out"
        raise ConfigError("session", text)
    if kept.secrets is None and kept.store is None:
        _workers.refuse_several()
        if session is None:
            text = (
                "authgate: sessions are kept in this process's memory and forgotten when it ends; "
                "give session=Sessions.sealed(secret), or Sessions.records() if that is what you want"
            )
            warnings.warn(text, stacklevel=6)
    return kept


def _native(
    options: Options,
    *,
    access: Access,
    cross_site: str,
    forwarded_fields: str,
    open_paths: list[str],
    prefixes: list[str],
    session: Sessions | None = None,
) -> _Native:
    if not isinstance(access, Access):
        raise TypeError(f"access: a {type(access).__name__} is none; give Access(), Access.admins() or Access.role(…)")
    if options.throttle is not None and not isinstance(options.throttle, Throttle):
        raise TypeError(f"throttle: a {type(options.throttle).__name__} is none; give Throttle(…)")
    for argument in ("mount", "login_path", "logout_path", "realm", "title", "logo", "forwarded_fields"):
        value = getattr(options, argument)
        if not isinstance(value, str) and (value is not None or argument not in ("logo", "forwarded_fields")):
            raise TypeError(f"{argument}: a {type(value).__name__} is no text")
    if options.texts is not None and not isinstance(options.texts, Mapping):
        raise TypeError(f"texts: a {type(options.texts).__name__} is no mapping of names to texts")
    words = list((options.texts or {}).items())
    if not all(isinstance(word, str) for pair in words for word in pair):
        raise TypeError("texts: it is a mapping of names to texts, and of nothing else")
    return _Native(
        mount=options.mount,
        login_path=options.login_path,
        logout_path=options.logout_path,
        public_paths=open_paths,
        public_prefixes=prefixes,
        access=access,
        cross_site=cross_site,
        trusted_proxies=texts("trusted_proxies", options.trusted_proxies),
        forwarded_fields=forwarded_fields,
        allowed_hosts=texts("allowed_hosts", options.allowed_hosts),
        identity_headers=texts("identity_headers", options.identity_headers),
        realm=options.realm,
        title=options.title,
        logo=options.logo,
        texts=words,
        session=session,
        throttle=options.throttle,
    )


def _name(backend: AuthBackend, taken: Mapping[str, object]) -> str:
    name = type(backend).__name__
    # The native side takes whatever is true for a user of `authenticate=…`, and knows it by that name.
    return name if name not in (*taken, "authenticate") else f"{name}-{len(taken) + 1}"


def _route(route: Any) -> tuple[str, Any, bool]:
    """A path, what answers it, and whether that is an application: a pair of a path and a function of a request, or an
    object with `path` and `app`, as Starlette and Lilya make them."""
    if is_app := not (isinstance(route, tuple) and len(route) == 2):
        path, endpoint = getattr(route, "path", None), getattr(route, "app", None)
    else:
        path, endpoint = route
    if not isinstance(path, str) or "{" in path or endpoint is None:
        text = f"backend: the route {route!r} is none that can be served; give pairs of a plain path and an endpoint"
        raise ConfigError("backend", text)
    return path, endpoint, is_app


def host_gate(backends: list[Any], trusted_proxies: Iterable[str], on_event: OnEvent | None) -> _core.Gate:
    """A gate for a host that has a middleware of its own and asks for login and logout alone, as AsyncMQ does."""
    native = _Native(
        mount="",
        login_path="/login",
        logout_path="/logout",
        public_paths=[],
        public_prefixes=[],
        access=Access(),
        cross_site="silent-sign-in",
        trusted_proxies=texts("trusted_proxies", trusted_proxies),
        forwarded_fields="x-forwarded-host",
        allowed_hosts=[],
        identity_headers=[],
        realm="dashboard",
        title="Dashboard",
        logo=None,
        texts=[],
        session=None,
        throttle=None,
    )
    return _core.Gate(backends, native, keeps_records=False, clock=None, on_event=on_event)


def sync_only(made: Plan) -> Plan:
    """The plan, if nothing in it needs an event loop that WSGI does not have."""
    if made.store is not None:
        shared = ("endings", "end_user", "counts", "swap_counts") if isinstance(made.store, SharedStore) else ()
        for name in ("load", "create", "renew", "remove", *shared):
            if inspect.iscoroutinefunction(getattr(made.store, name)):
                raise TypeError(f"session: the store's {name} is `async def`; WSGI needs a store that is not")
    return made
