"""People who sign in with a username and a password."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

from authgate._asking import in_thread
from authgate._checks import seconds
from authgate._core import Gate, User
from authgate.backends import Found, LookUp, Verify


class SimpleUsernamePasswordBackend:
    """Users sign in with a username and a password, which `verify` checks.

    Given to `AuthGateMiddleware(app, backend=…)`, the gate serves the pages and keeps the sessions. Given to AsyncMQ's
    `AsyncMQAdmin(enable_login=True, backend=…)`, it renders AsyncMQ's own page and keeps sign-ins in `request.session`,
    in AsyncMQ's form, so that it can replace the original in a running deployment.
    """

    def __init__(
        self,
        verify: Verify,
        session_key: str = "asyncmq_admin",
        login_template: str = "login.html",
        run_in_thread: bool = True,
        *,
        look_up: LookUp | None = None,
        trusted_proxies: Iterable[str] = (),
        deadline: float = 5.0,
    ) -> None:
        """
        Args:
            verify: A function of a username and a password, `def` or `async def`. It returns the user (a `User`, or
                anything with an `id`), or `None`. A pair of a user and the stored password hash ends the user's older
                sessions once the hash has changed and `look_up` tells so. What it raises is answered 503, and logged.
            session_key: Where AsyncMQ's session holds the user.
            login_template: The template of AsyncMQ's login page.
            run_in_thread: Whether a `verify` that is `def` runs off the event loop. Hashing takes long: leave it on.
            look_up: A function of a user's id that tells what they are now, or `None` if there is no such user any more.
                Asked when a session is renewed, at most once a minute. Without it, sessions go on as they began.
            trusted_proxies: The proxies whose forwarded addresses count when tries are, under AsyncMQ's own middleware.
            deadline: How long AsyncMQ's login page waits for `verify` and the form, in seconds. This and `trusted_proxies` are
                for AsyncMQ's own middleware; `AuthGateMiddleware(backend=…)` has its own.

        Raises:
            TypeError: An argument of the wrong type.
            ConfigError: One that is of no use; a `ValueError` that names the argument and the remedy.
        """
        for name, function in (("verify", verify), ("look_up", look_up)):
            if not callable(function) and (function is not None or name == "verify"):
                raise TypeError(f"{name}: a {type(function).__name__} cannot be called; give a function")
        for name, text in (("session_key", session_key), ("login_template", login_template)):
            if not isinstance(text, str) or not text:
                raise TypeError(f"{name}: {text!r} is no name")
        seconds("deadline", deadline, positive=True)
        self.verify = verify
        self.look_up = look_up
        self.session_key = session_key
        self.login_template = login_template
        self.run_in_thread = run_in_thread
        self.deadline = deadline
        self.trusted_proxies = trusted_proxies if isinstance(trusted_proxies, str) else tuple(trusted_proxies)
        self._gate = _gate_of(self.trusted_proxies)

    async def authenticate(self, request: Any) -> User | None:
        """The user whom AsyncMQ's session holds, or `None`."""
        return self.user_in(request.session)

    def user_in(self, session: Any) -> User | None:
        """The user that a session holds. Whatever else stands in its place is nobody."""
        data = session.get(self.session_key)
        identity = data.get("id") if isinstance(data, dict) else None
        if not isinstance(identity, str | int) or isinstance(identity, bool) or identity == "":
            return None
        try:
            # What the session does not say is not granted.
            return User(**{"name": identity, "is_admin": False, **data})
        except TypeError:
            return None

    async def login(self, request: Any) -> Any:
        """AsyncMQ's login page, and what is posted to it."""
        from authgate._hosted import sign_in

        return await sign_in(self, self._gate, request)

    async def logout(self, request: Any) -> Any:
        """Forgets the sign-in, and leads to the login page."""
        from authgate._hosted import sign_out

        return await sign_out(self, self._gate, request)

    def routes(self) -> list[Any]:
        """None: login and logout are all there is."""
        return []

    async def check(self, username: str, password: str) -> Found:
        """What `verify` says, off the event loop if it may block."""
        if self.run_in_thread and not inspect.iscoroutinefunction(self.verify):
            answer = await in_thread(self.verify, username, password, what="passwords")
        else:
            answer = self.verify(username, password)
        return await answer if inspect.isawaitable(answer) else answer

    async def find(self, user: str) -> Any:
        """What `look_up` says: `False` for nobody, `None` if nobody can tell."""
        if self.look_up is None:
            return None
        if self.run_in_thread and not inspect.iscoroutinefunction(self.look_up):
            answer = await in_thread(self.look_up, user)
        else:
            answer = self.look_up(user)
        return (await answer if inspect.isawaitable(answer) else answer) or False


def _gate_of(trusted_proxies: Iterable[str]) -> Gate:
    from authgate._hosted import gate_of

    return gate_of(True, trusted_proxies)
