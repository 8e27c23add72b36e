"""What a gate adds to a request, in one run: authgate's beside AsyncMQ's. Prints µs a request and ratios.

    python benches/gate.py
    python benches/gate.py --json   the figures alone, the bare application's among them

Needs what `benches/requirements.txt` names. All cases are interleaved, and the fastest of many rounds counts, so that a busy
machine slows all of them or none. Run it on a machine with nothing else to do.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from base64 import b64encode

import itsdangerous
from apps import SECRET, bare, gated, gated_by_asyncmq, native, token
from asyncmq.contrib.dashboard.admin import AuthGateMiddleware as AsyncMQGate
from asyncmq.contrib.dashboard.admin.backends.simple_user import SimpleUsernamePasswordBackend as AsyncMQPasswords
from asyncmq.contrib.dashboard.admin.protocols import User as AsyncMQUser
from starlette.middleware.sessions import SessionMiddleware
from visits import BROWSER, App, Fields, ask, receive, scope, send, sign_in

from authgate import AuthGateMiddleware, Sessions, SimpleUsernamePasswordBackend, User

PERSON = {"id": "ada-lovelace", "name": "Ada Lovelace", "is_admin": True, "roles": ["operator", "oncall"]}


async def main(rounds: int = 60, requests: int = 500) -> None:
    cases = await all_cases()
    best: dict[str, dict[str, float]] = {case: {} for case in cases}
    for _ in range(rounds):
        for case, (path, apps) in cases.items():
            for name, (app, headers) in apps.items():
                took = await measure(app, path, headers, requests)
                best[case][name] = min(took, best[case].get(name, took))
    if "--json" in sys.argv:
        print(json.dumps(best))
        return
    for case, took in best.items():
        over = {name: value - took["bare"] for name, value in took.items() if name != "bare"}
        told = ", ".join(f"{name} {value:.2f} µs ({value / over['authgate']:.1f} ×)" for name, value in over.items())
        print(f"{case:22} over the bare app: {told}")


async def all_cases() -> dict[str, tuple[str, dict[str, tuple[App, Fields]]]]:
    """Of each case the path, and what the applications are asked with."""
    bearer = [*BROWSER, (b"authorization", f"Bearer {token()}".encode())]
    apps: dict[str, App] = {
        "bare": bare,
        "authgate": gated,
        "authgate, authenticate=": AuthGateMiddleware(bare, authenticate=native.authenticate),
        "asyncmq": gated_by_asyncmq,
    }
    cases = {
        "forward, valid HS256": ("/queues", bearer),
        "303 for anonymous": ("/queues", BROWSER),
        "401 HTMX": ("/queues", [*BROWSER, (b"hx-request", b"true")]),
        "public path": ("/static/app.css", BROWSER),
    }
    found = {case: (path, {name: (app, fields) for name, app in apps.items()}) for case, (path, fields) in cases.items()}
    return found | {"signed-in session": ("/queues", await signed_in())}


async def signed_in() -> dict[str, tuple[App, Fields]]:
    ours = AuthGateMiddleware(
        bare,
        backend=SimpleUsernamePasswordBackend(lambda username, password: User(**PERSON)),
        session=Sessions.sealed(SECRET),
    )
    theirs = AsyncMQPasswords(lambda username, password: AsyncMQUser(**PERSON))
    gate = SessionMiddleware(AsyncMQGate(bare, authenticate=theirs.authenticate), SECRET)
    content = b64encode(json.dumps({theirs.session_key: PERSON}).encode())
    cookie = b"session=" + itsdangerous.TimestampSigner(SECRET).sign(content)
    found: dict[str, tuple[App, Fields]] = {
        "bare": (bare, BROWSER),
        "authgate": (ours, [*BROWSER, (b"cookie", await sign_in(ours))]),
        "asyncmq and starlette": (gate, [*BROWSER, (b"cookie", cookie)]),
    }
    for app, headers in found.values():
        sent = await ask(app, scope("/queues", headers))
        assert sent[0]["status"] == 200, sent
    return found


async def measure(app: App, path: str, headers: Fields, requests: int) -> float:
    """µs a request, the making of the scopes left out."""
    scopes = [scope(path, list(headers)) for _ in range(requests)]
    start = time.perf_counter()
    for one in scopes:
        await app(one, receive, send)
    return (time.perf_counter() - start) / requests * 1e6


if __name__ == "__main__":
    asyncio.run(main())
