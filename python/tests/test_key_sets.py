"""Keys of an identity provider: fetched from a URL when a token needs them, by whoever is asked for a decision."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import json
import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from authgate import AuthGateMiddleware, ConfigError, JWTAuthBackend, Unavailable
from cryptography.hazmat.primitives.asymmetric import rsa

from doors import Door
from servers import serving
from world import SECRET, Clock, password, sealed

KEYS = {name: rsa.generate_private_key(public_exponent=65537, key_size=2048) for name in ("first", "second")}


def published(*names: str) -> str:
    """A JWK Set of these keys."""
    keys = []
    for name in names:
        made = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEYS[name].public_key()))
        keys.append({**made, "kid": name, "alg": "RS256", "use": "sig"})
    return json.dumps({"keys": keys})


def signed(name: str = "first", *, kid: str | None = None, **claims: Any) -> str:
    """A token of Ada's, by one of the keys."""
    payload = {"sub": "ada", "name": "Ada", **claims}
    return jwt.encode(payload, KEYS[name], algorithm="RS256", headers={"kid": kid or name})


class Provider:
    """Publishes keys on the loopback, as it is told to, and counts who asks."""

    def __init__(self) -> None:
        self.names = ["first"]
        self.status = 200
        self.delay = 0.0
        self.asked = 0
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked += 1
                time.sleep(provider.delay)
                body = published(*provider.names).encode()
                self.send_response(provider.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(body)

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/jwks"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.close()


def backend(provider: Provider, **more: Any) -> JWTAuthBackend:
    return JWTAuthBackend(jwks_url=provider.url, algorithms=["RS256"], **more)


def door(kind: str, provider: Provider, **more: Any) -> Door:
    return Door(kind, backend=[backend(provider)], clock=time.time, **more)


JSON = ("Accept", "application/json")


def bearer(token: str) -> tuple[str, str]:
    return "Authorization", f"Bearer {token}"


def test_a_token_is_judged_by_the_provider_s_keys(kind: str, provider: Provider) -> None:
    one = door(kind, provider)
    assert provider.asked == 0, "nobody has asked for anything yet"
    for _ in range(3):
        assert one.ask("/queues", bearer(signed()))["x-seen-user"] == "Ada"
    assert one.ask("/queues", JSON, bearer(signed(exp=1))).status == 401
    assert provider.asked <= 2, "when fetching begins, and because of the token"


def test_a_key_that_nobody_knows_is_asked_for_once(kind: str, provider: Provider) -> None:
    one = door(kind, provider)
    assert one.ask("/queues", bearer(signed())).status == 200
    asked = provider.asked
    assert {one.ask("/queues", JSON, bearer(signed("second"))).status for _ in range(5)} <= {401, 503}
    assert provider.asked <= asked + 1
    assert one.ask("/queues", bearer(signed())).status == 200, "the others are served"


def test_a_forged_token_is_401_without_anybody_asking_again(kind: str, provider: Provider) -> None:
    one = door(kind, provider)
    assert one.ask("/queues", bearer(signed())).status == 200
    asked = provider.asked
    assert one.ask("/queues", JSON, bearer(signed("second", kid="first"))).status == 401
    assert provider.asked == asked


def test_t32_a_provider_that_is_down_lets_nobody_in(
    kind: str, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    provider.status = 500
    one = door(kind, provider)
    answer = one.ask("/queues", bearer(signed()))
    assert (answer.status, one.reason) == (503, "unavailable")
    # The fetcher, which begins with the first question, may have had its answer before the question is put.
    causes = ("it answered 500, not 200", "was asked for keys just now")
    assert any(cause in one.told[-1].detail for cause in causes)
    assert causes[0] in caplog.text, "the log has the cause in any case"
    assert one.ask("/queues").status in (303, 401), "whoever has no token is no question of keys"


def test_t32_a_provider_that_is_slow_lets_nobody_in(kind: str, provider: Provider) -> None:
    provider.delay = 2.0
    one = door(kind, provider, deadline=0.5)
    begun = time.monotonic()
    answer = one.ask("/queues", bearer(signed()))
    took = time.monotonic() - begun
    # Under WSGI the thread of the request waits as long as the fetch takes.
    status, longest = (503, provider.delay) if kind == "asgi" else (200, 2 * provider.delay)
    assert answer.status == status and took < longest


def test_beside_people_with_passwords(kind: str, provider: Provider) -> None:
    backends = [password(), backend(provider)]
    one = Door(kind, backend=backends, session=sealed(), clock=time.time)
    assert one.ask("/queues", bearer(signed()))["x-seen-user"] == "Ada"
    assert one.sign_in().status == 303
    assert one.ask("/queues")["x-seen-user"] == "Ada"


def test_asyncmq_s_way_in(kind: str, provider: Provider) -> None:
    one = Door(kind, authenticate=backend(provider).authenticate, require_admin=False, clock=time.time)
    assert one.ask("/queues", bearer(signed()))["x-seen-user"] == "Ada"
    assert one.ask("/queues", bearer(signed("second", kid="first"))).status in (303, 401)


def test_the_backend_by_itself_fetches_too(provider: Provider) -> None:
    tokens = backend(provider)
    assert tokens.explain(signed()) is not None and provider.asked == 0
    assert tokens.verify(signed()).id == "ada"  # type: ignore[union-attr]
    assert tokens.verify(signed().encode()).id == "ada"  # type: ignore[union-attr]
    assert tokens.verify("no token") is None and tokens.verify(signed("second", kid="first")) is None
    assert tokens.explain(signed()) is None
    assert backend(provider).authenticate_headers([bearer(signed())]).id == "ada"  # type: ignore[union-attr]
    assert tokens.verify("\ud800") is None


def test_the_backend_by_itself_says_when_there_are_no_keys(
    provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    provider.status = 404
    tokens = backend(provider)
    # The token joins the first fetch, or comes when that has failed.
    with pytest.raises(Unavailable, match="it answered 404|was asked for keys just now"):
        tokens.verify(signed())
    assert "it answered 404" in caplog.text
    with pytest.raises(Unavailable):
        asyncio.run(tokens.authenticate({"type": "http", "headers": [[b"authorization", b"Bearer " + signed().encode()]]}))
    assert tokens.verify("no token") is None


def test_the_event_loop_is_free_while_keys_are_fetched(provider: Provider) -> None:
    provider.delay = 0.5

    async def beside(work: Any) -> tuple[Any, int]:
        ticks = 0
        task = asyncio.ensure_future(work)
        while not task.done():
            await asyncio.sleep(0.01)
            ticks += 1
        return await task, ticks

    headers = [(b"authorization", b"Bearer " + signed().encode())]
    user, ticks = asyncio.run(beside(backend(provider).authenticate({"type": "http", "headers": headers})))
    assert user.id == "ada" and ticks > 20

    from world import ask_asgi, asgi_dashboard, scope_of

    gate = AuthGateMiddleware(asgi_dashboard, backend=backend(provider))
    scope = scope_of("GET", "/", [("Host", "dash.example"), bearer(signed())])
    answer, ticks = asyncio.run(beside(ask_asgi(gate, scope)))
    assert answer.status == 200 and ticks > 20


def test_other_threads_run_while_keys_are_fetched(provider: Provider) -> None:
    provider.delay = 0.5
    one, ticks, done = door("wsgi", provider), 0, threading.Event()

    def count() -> None:
        nonlocal ticks
        while not done.wait(0.01):
            ticks += 1

    counter = threading.Thread(target=count)
    counter.start()
    assert one.ask("/", bearer(signed())).status == 200
    done.set()
    counter.join()
    assert ticks > 20


def test_many_who_ask_at_once_cause_one_fetch(provider: Provider) -> None:
    provider.delay = 0.3
    tokens, found = backend(provider), []
    threads = [threading.Thread(target=lambda: found.append(tokens.verify(signed()))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 20 and all(user is not None for user in found) and provider.asked == 1


def test_a_fork_fetches_for_itself(provider: Provider) -> None:
    tokens = backend(provider)
    assert tokens.verify(signed()) is not None
    provider.names = ["first", "second"]
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        try:
            time.sleep(10.5)  # A provider is asked for a key at most every ten seconds.
            os._exit(0 if tokens.verify(signed("second")) is not None and tokens.verify(signed()) is not None else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    fresh = backend(provider)
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        try:
            os._exit(0 if fresh.verify(signed("second")) is not None else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert fresh.verify(signed("second")) is not None


def test_what_the_thread_has_to_tell_is_logged(provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="authgate"):
        assert backend(provider).verify(signed()) is not None
        provider.status = 500
        with pytest.raises(Unavailable):
            backend(provider).verify(signed())
    lines = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert any(level == "INFO" and "the provider's keys have come" in text for level, text in lines), lines
    assert any(level == "WARNING" and "could not be fetched: it answered 500" in text for level, text in lines), lines
    assert all(provider.url in text for _, text in lines if "keys" in text)


REFUSED: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "plain HTTP": ({"jwks_url": "http://id.example/jwks"}, ConfigError, "^jwks_url: "),
    "no address": ({"jwks_url": "id.example"}, ConfigError, "^jwks_url: "),
    "a password": ({"jwks_url": "https://ada:secret@id.example/"}, ConfigError, "^jwks_url: .*has a user name"),
    "a number": ({"jwks_url": 5}, TypeError, "^jwks_url: a str is wanted, not int"),
    "algorithms": ({"jwks_url": "https://id.example/", "algorithms": ["HS256"]}, ConfigError, "^algorithms: "),
    "no key at all": ({}, ConfigError, "^secret: no key for RS256; give .* `jwks` or `jwks_url`"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_can_never_work_is_refused(case: str) -> None:
    settings, kind, text = REFUSED[case]
    with pytest.raises(kind, match=text) as caught:
        JWTAuthBackend(**{"algorithms": ["RS256"], **settings})
    assert "secret@" not in str(caught.value)


def test_a_secret_may_stand_beside_it(provider: Provider) -> None:
    tokens = JWTAuthBackend(secret=SECRET, jwks_url=provider.url, algorithms=["HS256", "RS256"])
    assert tokens.verify(signed()) is not None
    assert tokens.verify(jwt.encode({"sub": "bob"}, SECRET, algorithm="HS256")) is not None


def test_workers_fetch_each_for_itself(provider: Provider) -> None:
    for command in (
        ("-m", "uvicorn", "--host", "127.0.0.1", "--port", "{port}", "--workers", "2", "apps:tokens"),
        ("-m", "gunicorn", "-b", "127.0.0.1:{port}", "-w2", "apps:wsgi_tokens"),
        ("-m", "gunicorn", "-b", "127.0.0.1:{port}", "-w2", "--preload", "apps:wsgi_tokens"),
    ):
        with serving(*command, JWKS=provider.url, SESSIONS="sealed") as workers:
            seen = {workers.ask("/queues", Authorization=f"Bearer {signed()}")["x-seen-user"] for _ in range(12)}
            assert seen == {"Ada"}


def test_a_clock_of_the_gate_s_own_is_no_clock_of_the_keys(provider: Provider) -> None:
    """Keys are as old as the system's clock says; a gate that lives in another year finds none that serve."""
    one = Door("wsgi", backend=[backend(provider)], clock=Clock(time.time() + 10 * 86_400))
    assert one.ask("/queues", bearer(signed())).status == 503
