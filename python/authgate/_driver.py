"""Answering the gate's questions, under ASGI and under WSGI: twins that differ by `await`."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from authgate._asking import Unanswered, ask, ask_now, in_thread, off_the_loop
from authgate._core import Question
from authgate._requests import Receive, Request, Scope, request_of
from authgate._settings import Plan


STORE = "the session store"
KEYS = "the provider of keys"
PATIENCE = 3.0
"""How long a store may keep one request waiting, all its questions together, in seconds."""


class Patience:
    """How much longer a request may be kept waiting by the store."""

    def __init__(self) -> None:
        self._left = PATIENCE

    @contextmanager
    def spent(self, deadline: float) -> Iterator[float]:
        """How long the next answer may take, in seconds. What it takes is gone."""
        if self._left <= 0:
            raise Unanswered(f"{STORE} has taken {PATIENCE:g} s for this request already")
        begun = time.monotonic()
        try:
            yield min(self._left, deadline)
        finally:
            self._left -= time.monotonic() - begun


class Asynchronous:
    """Answers for one request under ASGI. Each question is a method of the same name."""

    def __init__(self, plan: Plan, scope: Scope, receive: Receive) -> None:
        self.plan = plan
        self.scope = scope
        self.receive = receive
        self.patience = Patience()

    async def drive(self, step: Any) -> Any:
        """Answers until there is a decision. If this is cancelled, the question stays unanswered, and nobody enters."""
        while isinstance(step, Question):
            try:
                answer = await getattr(self, step.kind)(*step.arguments)
            except Unanswered as why:
                step = step.unavailable(str(why))
            else:
                step = step.resume(answer)
        return step

    async def read_body(self, limit: int) -> bytes | str:
        return await read_body(self.receive, limit, deadline=self.plan.deadline)

    async def ask_backend(self, name: str) -> Any:
        backend = self.plan.backends[name]
        return await self._ask(name, _call(backend.authenticate, request_of(self.scope, self.receive)))

    async def fetch_keys(self, name: str) -> Any:
        why = await self._ask(KEYS, in_thread(self.plan.providers[name].fetch_keys, what="keys"))
        return no_keys(why)

    async def check_password(self, username: str, password: str) -> Any:
        assert self.plan.people is not None
        return await self._ask("verify", self.plan.people.check(username, password), secret=password)

    async def look_up_user(self, user: str) -> Any:
        assert self.plan.people is not None
        return await self._ask("look_up", self.plan.people.find(user))

    async def load_session(self, session: str) -> Any:
        return await self._store("load", session)

    async def create_session(self, session: str, data: bytes, until: float) -> Any:
        return await self._store("create", session, data, until)

    async def renew_session(self, session: str, data: bytes, until: float) -> Any:
        return await self._store("renew", session, data, until)

    async def remove_session(self, session: str) -> Any:
        return await self._store("remove", session)

    async def hear_endings(self, position: str | None, lifetime: float) -> Any:
        return await self._store("endings", position, lifetime)

    async def load_counts(self, keys: list[str]) -> Any:
        return await self._store("counts", keys)

    async def swap_counts(self, changes: list[Any]) -> Any:
        return await self._store("swap_counts", changes)

    async def _store(self, action: str, *arguments: Any) -> Any:
        with self.patience.spent(self.plan.deadline) as deadline:
            return await ask(STORE, deadline, off_the_loop(getattr(self.plan.asynchronous, action), *arguments))

    async def _ask(self, whom: str, answer: Any, *, secret: str = "") -> Any:
        return await ask(whom, self.plan.deadline, answer, secret=secret)


class Synchronous:
    """The same under WSGI, in the thread of the request."""

    def __init__(self, plan: Plan, environ: Scope) -> None:
        self.plan = plan
        self.environ = environ
        self.patience = Patience()

    def drive(self, step: Any) -> Any:
        """Answers until there is a decision."""
        while isinstance(step, Question):
            try:
                answer = getattr(self, step.kind)(*step.arguments)
            except Unanswered as why:
                step = step.unavailable(str(why))
            else:
                step = step.resume(answer)
        return step

    def read_body(self, limit: int) -> bytes | str:
        return read_input(self.environ, limit, deadline=self.plan.deadline)

    def ask_backend(self, name: str) -> Any:
        backend = self.plan.backends[name]
        return self._ask(name, lambda: backend.authenticate(Request(self.environ)))

    def fetch_keys(self, name: str) -> Any:
        return no_keys(self._ask(KEYS, self.plan.providers[name].fetch_keys))

    def check_password(self, username: str, password: str) -> Any:
        people = self.plan.people
        assert people is not None
        return self._ask("verify", lambda: people.verify(username, password), secret=password)

    def look_up_user(self, user: str) -> Any:
        people = self.plan.people
        if people is None or people.look_up is None:
            return None
        look_up = people.look_up
        return self._ask("look_up", lambda: look_up(user)) or False

    def load_session(self, session: str) -> Any:
        return self._store("load", session)

    def create_session(self, session: str, data: bytes, until: float) -> Any:
        return self._store("create", session, data, until)

    def renew_session(self, session: str, data: bytes, until: float) -> Any:
        return self._store("renew", session, data, until)

    def remove_session(self, session: str) -> Any:
        return self._store("remove", session)

    def hear_endings(self, position: str | None, lifetime: float) -> Any:
        return self._store("endings", position, lifetime)

    def load_counts(self, keys: list[str]) -> Any:
        return self._store("counts", keys)

    def swap_counts(self, changes: list[Any]) -> Any:
        return self._store("swap_counts", changes)

    def _store(self, action: str, *arguments: Any) -> Any:
        with self.patience.spent(self.plan.deadline) as deadline:
            return ask_now(STORE, deadline, lambda: getattr(self.plan.store, action)(*arguments))

    def _ask(self, whom: str, function: Callable[[], Any], *, secret: str = "") -> Any:
        return ask_now(whom, self.plan.deadline, function, secret=secret)


def no_keys(why: str | None) -> None:
    """Raises `Unanswered` if keys have not been fetched, and it is told why."""
    if why is not None:
        raise Unanswered(why)


async def read_body(receive: Receive, limit: int, *, deadline: float) -> bytes | str:
    """A whole body of at most `limit` bytes, within `deadline` seconds; or why there is none."""

    async def collect() -> bytes | str:
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return "cut"
            body += message.get("body", b"")
            if len(body) > limit:
                return "too-large"
            if not message.get("more_body", False):
                return bytes(body)

    try:
        return await asyncio.wait_for(collect(), deadline)
    except asyncio.TimeoutError:
        return "too-slow"


def read_input(environ: Scope, limit: int, *, deadline: float) -> bytes | str:
    """The same from `wsgi.input`, which a server bounds by the content length."""
    try:
        left = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        left = -1
    if left < 0:
        return "cut"
    if left > limit:
        return "too-large"
    body, end = bytearray(), time.monotonic() + deadline
    while left > 0:
        if time.monotonic() > end:
            return "too-slow"
        try:
            chunk = environ["wsgi.input"].read(min(left, 65_536))
        except Exception:
            # Each server has an error of its own for a client that has gone.
            return "cut"
        if not chunk:
            return "cut"
        body += chunk
        left -= len(chunk)
    return bytes(body)


async def _call(function: Callable[..., Any], *arguments: Any) -> Any:
    answer = function(*arguments)
    return await answer if inspect.isawaitable(answer) else answer
