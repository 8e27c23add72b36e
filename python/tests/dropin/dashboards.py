"""AsyncMQ's dashboard behind each kind of gate, served by uvicorn: `python dashboards.py KIND MOUNTING FILE`.

KIND is who gates it; MOUNTING is how the host mounts it. The port is free, and is written to FILE once
connections are accepted.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import sys
from contextlib import asynccontextmanager
from typing import Any

PASSWORD = "a+b%2B&ü %"
PREFIX = "/ops"


def prepare() -> Any:
    """AsyncMQ with its queues in memory, and one queue with one job."""
    from asyncmq import monkay
    from asyncmq.backends.memory import InMemoryBackend

    config = monkay.settings.dashboard_config
    config.secret_key = os.environ.get("DASHBOARD_SECRET", "k" * 32)
    config.dashboard_url_prefix = PREFIX
    monkay.settings.backend = InMemoryBackend()
    # The property makes a new configuration each time it is read, unless it is pinned.
    type(monkay.settings).dashboard_config = config
    return monkay.settings.backend


def people(classes: Any) -> Any:
    """Ada administrates; Bob does not."""

    def verify(username: str, password: str) -> Any:
        if password != PASSWORD or username not in ("ada", "bob"):
            return None
        return classes.User(id=username, name=username.title(), is_admin=username == "ada", roles=["ops"])

    return verify


def admin(kind: str, prefix: str) -> Any:
    """The dashboard, made by `kind`."""
    import authgate

    if kind == "none":
        from asyncmq.contrib.dashboard import admin as theirs

        return theirs.AsyncMQAdmin(url_prefix=prefix)
    if kind in ("original", "backend"):
        from asyncmq.contrib.dashboard import admin as theirs

        classes: Any = theirs if kind == "original" else authgate
        backend = classes.SimpleUsernamePasswordBackend(people(classes))
        return theirs.AsyncMQAdmin(enable_login=True, backend=backend, url_prefix=prefix)
    from authgate import asyncmq as ours

    backend = ours.SimpleUsernamePasswordBackend(people(ours))
    return ours.AsyncMQAdmin(enable_login=True, backend=backend, url_prefix=prefix)


def around(dashboard: Any, mount: str) -> Any:
    """The gate around a dashboard without a login."""
    import authgate

    return authgate.AuthGateMiddleware(
        dashboard,
        backend=authgate.SimpleUsernamePasswordBackend(people(authgate)),
        session=authgate.Sessions.sealed(secrets.token_bytes(32)),
        access=authgate.Access.admins(),
        allowlist=["/static"],
        mount=mount,
    )


def application(kind: str, mounting: str) -> Any:
    """What uvicorn serves; the dashboard is below /ops.

    - `whole`: in FastAPI, the dashboard's application routes by the whole path and stands at the root.
    - `mounted`: in FastAPI, which cuts the prefix off; the dashboard has none of its own. It takes Lilya
      around it all the same, or AsyncMQ's templates ask FastAPI's router for their links.
    - `included`: in Lilya, without a prefix of its own.
    """
    queues = prepare()
    made = admin("none" if kind == "around" else kind, "/" if mounting == "mounted" else PREFIX)
    dashboard = made.get_asgi_app(with_url_prefix=mounting != "included")
    if kind == "around":
        dashboard = around(dashboard, PREFIX if mounting == "whole" else "")

    @asynccontextmanager
    async def lifespan(_: Any) -> Any:
        await queues.enqueue("mail", {"id": "job-1", "task": "send", "args": [], "kwargs": {}})
        yield

    if mounting == "included":
        from lilya.apps import Lilya
        from lilya.routing import Include

        return Lilya(routes=[Include(PREFIX, app=dashboard)], lifespan=lifespan)
    from fastapi import FastAPI

    app = FastAPI(lifespan=lifespan)
    app.mount("" if mounting == "whole" else PREFIX, dashboard)
    return app


def main() -> None:
    import uvicorn

    _, kind, mounting, announce = sys.argv
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application(kind, mounting), log_level="warning", lifespan="on"))

    async def serve() -> None:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.01)
        with open(announce, "w") as file:
            file.write(f"{listener.getsockname()[1]}\n")
        await serving

    asyncio.run(serve())


if __name__ == "__main__":
    main()
