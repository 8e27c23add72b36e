"""The gate around a WSGI application: Flask, Django, rq-dashboard."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from authgate import _workers
from authgate._asking import Unanswered, ask_now
from authgate._checks import callables
from authgate._core import Delegate, Forward, Lease, LoginForm, Reply, User
from authgate._driver import Synchronous
from authgate._requests import Request
from authgate._settings import Options, Plan, plan, sync_only
from authgate.access import Access, Throttle
from authgate.backends import AuthBackend
from authgate.events import OnEvent, logger
from authgate.middleware import dressed, owner
from authgate.sessions import Sessions

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
WSGIApp = Callable[[Environ, StartResponse], Iterable[bytes]]


class AuthGate:
    """Lets nobody through to `app` who may not pass: the twin of `authgate.AuthGateMiddleware`, with the same keywords.

    Whoever is let through stands in `environ["authgate.user"]`.
    """

    def __init__(
        self,
        app: WSGIApp,
        authenticate: Callable[[Any], Any] | None = None,
        login_path: str = "/login",
        allowlist: Iterable[str] | None = None,
        enforce_same_origin: bool | None = None,
        require_admin: bool | None = None,
        required_roles: Iterable[str] = (),
        trusted_proxies: Iterable[str] = (),
        *,
        backend: AuthBackend | Sequence[AuthBackend] | None = None,
        session: Sessions | None = None,
        access: Access | None = None,
        mount: str = "",
        logout_path: str = "/logout",
        public_paths: Iterable[str] = (),
        forwarded_fields: str | None = None,
        allowed_hosts: Iterable[str] = (),
        identity_headers: Iterable[str] = (),
        realm: str = "dashboard",
        title: str = "Dashboard",
        logo: str | None = None,
        texts: Mapping[str, str] | None = None,
        throttle: Throttle | None = None,
        login_page: Callable[[LoginForm], str | tuple[str, str]] | None = None,
        deadline: float = 5.0,
        clock: Callable[[], float] | None = None,
        on_event: OnEvent | None = None,
    ) -> None:
        """The keywords are those of `authgate.AuthGateMiddleware`, with these differences.

        What is `def` is called in the thread of the request, where no deadline can end it. `async def` functions run in an
        event loop that all of them share; a session store must be `def`.
        """
        options = Options(
            login_path=login_path,
            logout_path=logout_path,
            allowlist=allowlist,
            enforce_same_origin=enforce_same_origin,
            require_admin=require_admin,
            required_roles=required_roles,
            trusted_proxies=trusted_proxies,
            session=session,
            access=access,
            mount=mount,
            public_paths=public_paths,
            forwarded_fields=forwarded_fields,
            allowed_hosts=allowed_hosts,
            identity_headers=identity_headers,
            realm=realm,
            title=title,
            logo=logo,
            texts=texts,
            throttle=throttle,
            login_page=login_page,
            deadline=deadline,
            clock=clock,
            on_event=on_event,
        )
        callables(app=app)
        self.app = app
        self._plan: Plan = sync_only(plan(backend, authenticate, options))
        self._login_page = login_page

    def sign_out_everywhere(self, user: User | str | int) -> None:
        """Ends all sessions that this user, or the user with this id, has begun until now: in this process, and wherever the store
        is shared. Open streams end as well.

        A shared store is told before this returns, which takes 1 s at most: from an event loop call it by
        `await asyncio.to_thread(gate.sign_out_everywhere, user)`.

        Raises `authgate.Unavailable` if the others could not be told. Here the sessions have ended all the same; call it again.
        """
        self._plan.sign_out_everywhere(user)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("wsgi.multiprocess") and self._plan.keeps_records:
            return self._refuse_several(start_response)
        step = Synchronous(self._plan, environ).drive(self._plan.gate.begin(environ))
        if isinstance(step, Forward):
            return self._forward(step, start_response)
        if isinstance(step, Delegate):
            answer = self._delegate(step, start_response)
            if not isinstance(answer, Reply):
                return answer
            step = answer
        return reply(dressed(step, self._login_page), start_response)

    def _forward(self, step: Forward, start_response: StartResponse) -> Iterable[bytes]:
        environ, appended, touched, lease = step.to_wsgi()

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            if touched:
                kept = [(name, value) for name, value in headers if name.lower() != "cache-control"]
                headers = [*kept, ("Cache-Control", "no-store"), *appended]
            return start_response(status, headers, *([exc_info] if exc_info else []))

        body = self.app(environ, start)
        return body if lease.left() is None and not lease.is_revocable else _Leased(body, lease)

    def _delegate(self, delegate: Delegate, start_response: StartResponse) -> Iterable[bytes] | Reply:
        environ = delegate.place
        environ["authgate.next"] = delegate.next
        endpoint, is_app = owner(self._plan, delegate)
        response: Any = endpoint
        try:
            if not is_app:
                response = ask_now(delegate.backend, self._plan.deadline, lambda: endpoint(Request(environ)))
            if not callable(response):
                raise Unanswered(f"{delegate.backend} answered with no response: a {type(response).__name__}")
        except Unanswered as why:
            return delegate.unavailable(str(why))
        delegate.answered()
        body: Iterable[bytes] = response(environ, start_response)
        return body

    def _refuse_several(self, start_response: StartResponse) -> Iterable[bytes]:
        logger.error(_workers.REMEDY)
        start_response("503 Service Unavailable", [("Content-Type", "text/plain"), ("Cache-Control", "no-store")])
        return [b"Service unavailable"]


def reply(step: Reply, start_response: StartResponse) -> Iterable[bytes]:
    """Sends an answer of the gate's own."""
    headers = [(name.decode("latin-1").title(), value.decode("latin-1")) for name, value in step.headers]
    start_response(f"{step.status} {HTTPStatus(step.status).phrase}", headers)
    return [step.body]


class _Leased:
    """A body that ends when the admission does: the connection is cut, so that nobody takes it for whole."""

    def __init__(self, body: Iterable[bytes], lease: Lease) -> None:
        self._body = body
        self._lease = lease

    def __iter__(self) -> Iterator[bytes]:
        hearing = self._lease.hearing
        for chunk in self._body:
            if hearing is not None and (asked := self._lease.asks()) is not None:
                hearing.hear_now(self._lease, asked)
            if not self._lease.holds():
                raise ConnectionError("the admission of this request has ended")
            yield chunk

    def close(self) -> None:
        close = getattr(self._body, "close", None)
        if close is not None:
            close()
