"""The gate around an ASGI application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from authgate import _core
from authgate._asking import Unanswered, ask
from authgate._checks import callables
from authgate._core import Delegate, Forward, Reply, User
from authgate._driver import Asynchronous, _call
from authgate._requests import Message, Receive, Scope, SendMessage, request_of
from authgate._settings import Options, Plan, plan
from authgate.access import Access, Throttle
from authgate.backends import AuthBackend
from authgate.events import OnEvent, logger
from authgate.sessions import Sessions

ASGIApp = Callable[[Scope, Receive, SendMessage], Awaitable[None]]
LoginPage = Callable[[_core.LoginForm], "str | tuple[str, str]"]

OWN_PAGE_POLICY = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"


class AuthGateMiddleware(_core.AsgiGate):
    """Lets nobody through to `app` who may not pass. Works around any ASGI application.

    Two ways in. With `authenticate=…`, `app` has login and logout pages of its own, as AsyncMQ's dashboard has. With
    `backend=…`, the gate serves them. Whoever is let through stands in `scope["state"]["user"]`, which frameworks show as
    `request.state.user`.
    """

    _plan: Plan
    _login_page: LoginPage | None

    def __init__(
        self,
        app: ASGIApp,
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
        login_page: LoginPage | None = None,
        deadline: float = 5.0,
        clock: Callable[[], float] | None = None,
        on_event: OnEvent | None = None,
    ) -> None:
        """
        Args:
            app: The ASGI application behind the gate.
            authenticate: A function of a request that gives the user or `None`, as AsyncMQ's backends have.
            login_path: The login page's path below the mount.
            allowlist: Paths that are open to everybody, each with everything below it, such as `/static`; no patterns. With
                `authenticate=…`, as in AsyncMQ, an entry that ends with a slash opens that path alone. Default with
                `authenticate=…`: `/login`, `/logout`, `/static` and `/assets`; with `backend=…`: none.
            enforce_same_origin: With `authenticate=…`: whether unsafe requests must come from our own origin. Default: they must.
            require_admin: With `authenticate=…`: whether users must be administrators. Default: they must.
            required_roles: With `authenticate=…`: users must have one of these. Default: none is asked for.
            trusted_proxies: Addresses or networks of the proxies whose forwarded fields count, such as `10.0.0.0/8`, or
                `unix`. Default: none.
            backend: Who knows the users, or several in the order of asking; login and logout are the first one's.
            session: How sign-ins are kept. Default: as records in this process's memory, with a warning.
            access: With `backend=…`: what users must be. Default: signed in, administrator or not.
            mount: The prefix of the dashboard, beside the `root_path` that the server or a router tells.
            logout_path: The logout path below the mount.
            public_paths: Paths that are open to everybody, each alone.
            forwarded_fields: What the trusted proxies write: `x-forwarded`, `x-forwarded-host` or `forwarded`. Default:
                `x-forwarded`; with `authenticate=…`: `x-forwarded-host`, as AsyncMQ reads them.
            allowed_hosts: The hosts that requests may name. Default: any.
            identity_headers: More fields that are stripped because the application reads an identity from them.
            realm: The realm in challenges, and of sealed sessions: changing it ends them all.
            title: The dashboard's name on the gate's pages.
            logo: The line above the heading on the gate's pages. Default: the title.
            texts: Other texts on the gate's pages, by name: lang, sign_in, username, password, wrong, throttled, cannot_check,
                sign_out, sign_out_advice, by_token, by_token_advice, not_allowed, not_allowed_advice, switch_user,
                nothing_here, nothing_here_advice, try_again, try_again_advice, did_not_work, did_not_work_advice, back.
            throttle: How many wrong passwords are too many. Default: `Throttle()`, which is ten.
            login_page: Renders the login form: gives HTML, or a pair of HTML and its Content-Security-Policy.
            deadline: How long `verify`, a backend, the session store or a form's body may take, in seconds. All questions to the
                session store for one request together may take 3 s.
            clock: Tells the time in seconds since 1970. Default: the system's clock.
            on_event: Is told each decision, beside the log.

        Raises:
            TypeError: A keyword of the wrong type, or one that goes with the other way in.
            ConfigError: A setting that is of no use; a `ValueError` that names the keyword and the remedy.
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
        made = plan(backend, authenticate, options)
        super().__init__(app, made.gate)
        self._plan = made
        self._login_page = login_page
        # Servers ask whether `__call__` is a coroutine function to tell ASGI 3 from ASGI 2. The class's own is not, so
        # that what is let through costs no coroutine; they find this one, and Python calls the class's.
        self.__dict__["__call__"] = self._call

    def sign_out_everywhere(self, user: User | str | int) -> None:
        """Ends all sessions that this user, or the user with this id, has begun until now: in this process, and wherever the store
        is shared. Open streams end as well.

        A shared store is told before this returns, which takes 1 s at most: from an event loop call it by
        `await asyncio.to_thread(gate.sign_out_everywhere, user)`.

        Raises `authgate.Unavailable` if the others could not be told. Here the sessions have ended all the same; call it again.
        """
        self._plan.sign_out_everywhere(user)

    @property
    def routes(self) -> Any:
        """The application's, for frameworks that make links by looking through what is mounted."""
        return getattr(self.app, "routes", [])

    async def _call(self, scope: Scope, receive: Receive, send: SendMessage) -> None:
        await self(scope, receive, send)

    async def _refuse_scope(self, scope: Scope) -> None:
        raise ValueError(f"an ASGI scope of the type {scope.get('type')!r} is none that a gate can judge")

    async def _drive(self, step: Any, scope: Scope, receive: Receive, send: SendMessage) -> None:
        """The long way: an answer of ours, or somebody must be asked first."""
        step = await Asynchronous(self._plan, scope, receive).drive(step)
        if isinstance(step, Forward):
            await step.to_asgi(self.app, receive, send)
            return
        if isinstance(step, Delegate):
            delegate, step = step, await self._delegate(step, receive, send)
            if step is None:
                return
        await reply(dressed(step, self._login_page), scope, send)

    async def _delegate(self, delegate: Delegate, receive: Receive, send: SendMessage) -> Reply | None:
        """Lets a backend answer its own page; gives what is sent instead if it cannot."""
        scope = delegate.place
        scope["authgate.next"] = delegate.next
        endpoint, is_app = owner(self._plan, delegate)
        response: Any = endpoint
        try:
            if not is_app:
                if scope["type"] == "websocket":
                    raise Unanswered(f"{delegate.backend} answers with pages, and a websocket asks for none")
                request = request_of(scope, receive)
                response = await ask(delegate.backend, self._plan.deadline, _call(endpoint, request))
            if not callable(response):
                raise Unanswered(f"{delegate.backend} answered with no response: a {type(response).__name__}")
        except Unanswered as why:
            return delegate.unavailable(str(why))
        delegate.answered()
        await response(scope, receive, send)
        return None


def owner(made: Plan, delegate: Delegate) -> tuple[Any, bool]:
    """What answers a page, and whether that is an application rather than a function of a request."""
    if delegate.page == "route":
        return made.routes[delegate.path]
    return getattr(made.backends[delegate.backend], delegate.page), False


def dressed(step: Reply, login_page: LoginPage | None) -> Reply:
    """The reply with the host's own login page, if it has one."""
    if step.form is None or login_page is None:
        return step
    try:
        page = login_page(step.form)
        html, policy = page if isinstance(page, tuple) else (page, OWN_PAGE_POLICY)
        return step.with_own_page(html, policy)
    except Exception:
        # Nobody is locked out because a template is broken.
        logger.exception("login_page failed; the gate's own page is shown")
        return step


async def send_both(start: Message, body: Message, send: SendMessage) -> None:
    """Sends an answer that the native side has made."""
    await send(start)
    await send(body)


async def reply(step: Reply, scope: Scope, send: SendMessage) -> None:
    """Sends an answer of the gate's own. A websocket is refused before it is accepted."""
    start, body = step.messages()
    if scope["type"] == "websocket":
        if "websocket.http.response" not in (scope.get("extensions") or {}):
            await send({"type": "websocket.close", "code": 1008})
            return
        start["type"], body["type"] = "websocket.http.response.start", "websocket.http.response.body"
    await send(start)
    await send(body)
