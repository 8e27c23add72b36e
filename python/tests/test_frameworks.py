"""Around real routers: links carry the mount, and the user stands where each framework looks for one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from authgate import Access, AuthGateMiddleware, JWTAuthBackend
from authgate.wsgi import AuthGate
from fastapi import Depends, FastAPI, Request

from world import (
    HOST,
    NOW,
    SECRET,
    Answer,
    Clock,
    asgi_dashboard,
    ask_asgi,
    ask_wsgi,
    claims,
    environ_of,
    password,
    scope_of,
    sealed,
    session,
    sign_in,
    wsgi_dashboard,
)


def settings(**more: Any) -> dict[str, Any]:
    return {
        "backend": [password(), JWTAuthBackend(secret=SECRET)],
        "session": sealed(),
        "clock": Clock(),
        **more,
    }


def starlette(gate: Any) -> Any:
    from starlette.applications import Starlette
    from starlette.routing import Mount

    return Starlette(routes=[Mount("/team", routes=[Mount("/ops", app=gate)])])


def fastapi(gate: Any) -> Any:
    inner, outer = FastAPI(), FastAPI()
    inner.mount("/ops", gate)
    outer.mount("/team", inner)
    return outer


def lilya(gate: Any) -> Any:
    from lilya.apps import Lilya
    from lilya.routing import Include

    return Lilya(routes=[Include("/team", routes=[Include("/ops", app=gate)])])


def ask(
    app: Any, path: str, *headers: tuple[str, str], method: str = "GET", body: bytes = b"", **more: Any
) -> Answer:
    return asyncio.run(ask_asgi(app, scope_of(method, path, [HOST, *headers], **more), body))


@pytest.mark.parametrize("outer", ["", "/outer"])
@pytest.mark.parametrize("router", [starlette, fastapi, lilya])
def test_t34_links_carry_the_mount_of_a_router(router: Any, outer: str) -> None:
    app = router(AuthGateMiddleware(asgi_dashboard, allowlist=["/static"], **settings()))
    mount = f"{outer}/team/ops"
    told = {"root_path": outer}
    answer = ask(app, f"{mount}/queues/a%26b?page=2", **told)
    escaped = mount.replace("/", "%2F")
    assert (answer.status, answer["location"]) == (
        303,
        f"{mount}/login?next={escaped}%2Fqueues%2Fa%2526b%3Fpage%3D2",
    )
    answer = ask(app, f"{mount}/login?next={escaped}%2Fqueues", **told)
    assert answer.status == 200 and f'action="{mount}/login"'.encode() in answer.body
    form = b"username=ada&password=right&next=" + f"{escaped}%2Fqueues".encode()
    fields = [("Content-Type", "application/x-www-form-urlencoded"), ("Sec-Fetch-Site", "same-origin")]
    answer = ask(app, f"{mount}/login", *fields, method="POST", body=form, **told)
    assert (answer.status, answer["location"]) == (303, f"{mount}/queues")
    assert ask(app, f"{mount}/queues", ("Cookie", answer.cookie), **told)["x-seen-user"] == "Ada"
    assert ask(app, f"{mount}/static/app.css", **told)["x-seen-user"] == "-"
    assert ask(app, f"{mount}/static/../queues", **told).status == 303
    assert ask(app, f"{mount}/static/%2e%2e/queues", **told).status == 303


@pytest.mark.parametrize("router", [starlette, fastapi, lilya])
def test_t10_a_mounts_name_in_other_escapes_is_the_same_mount(router: Any) -> None:
    app = router(AuthGateMiddleware(asgi_dashboard, allowlist=["/static"], **settings()))
    answer = ask(app, "/te%61m/%6fps/queues")
    assert (answer.status, answer["location"]) == (303, "/team/ops/login?next=%2Fteam%2Fops%2Fqueues")


def test_t34_links_carry_the_mount_of_a_wsgi_dispatcher() -> None:
    from flask import Flask, request
    from werkzeug.middleware.dispatcher import DispatcherMiddleware

    flask = Flask(__name__)

    @flask.route("/queues")
    def queues() -> str:
        return f"{request.environ['authgate.user'].name} {request.script_root}"

    flask.wsgi_app = AuthGate(flask.wsgi_app, **settings())  # type: ignore[method-assign]
    app = DispatcherMiddleware(wsgi_dashboard, {"/team/ops": flask})
    answer = ask_wsgi(app, environ_of("GET", "/team/ops/queues?page=2", [HOST]))
    wanted = "/team/ops/login?next=%2Fteam%2Fops%2Fqueues%3Fpage%3D2"
    assert (answer.status, answer["location"]) == (303, wanted)
    headers = [HOST, ("Cookie", session(NOW))]
    answer = ask_wsgi(app, environ_of("GET", "/team/ops/queues", headers))
    assert (answer.status, answer.body) == (200, b"Ada /team/ops")


def test_t34_links_carry_the_script_name_of_django() -> None:
    import django
    from django.conf import settings as config
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse
    from django.urls import path

    def queues(request: Any) -> Any:
        return HttpResponse(f"{request.META['authgate.user'].name} {request.get_full_path()}")

    if not config.configured:
        urls = type("urls", (), {"urlpatterns": [path("queues", queues)]})
        config.configure(ROOT_URLCONF=urls, ALLOWED_HOSTS=["*"], SECRET_KEY="x" * 50)
        django.setup(set_prefix=False)
    app = AuthGate(get_wsgi_application(), **settings())
    answer = ask_wsgi(app, environ_of("GET", "/queues", [HOST], SCRIPT_NAME="/team"))
    assert (answer.status, answer["location"]) == (303, "/team/login?next=%2Fteam%2Fqueues")
    answer = ask_wsgi(
        app, environ_of("GET", "/queues", [HOST, ("Cookie", session(NOW))], SCRIPT_NAME="/team")
    )
    assert (answer.status, answer.body) == (200, b"Ada /team/queues")


def test_starlette_s_requests_show_the_user() -> None:
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    def page(request: Any) -> Any:
        return PlainTextResponse(request.state.user.id if hasattr(request.state, "user") else "nobody")

    gate = Middleware(AuthGateMiddleware, public_paths=["/open"], **settings())
    app = Starlette(routes=[Route("/{any:path}", page)], middleware=[gate])
    assert ask(app, "/queues", ("Cookie", session(NOW))).body == b"ada"
    assert ask(app, "/open", ("Cookie", session(NOW))).body == b"nobody"
    assert ask(app, "/queues").status == 303


def test_fastapi_s_dependencies_show_the_user() -> None:
    app = FastAPI()
    app.add_middleware(AuthGateMiddleware, **settings())

    def user(request: Request) -> Any:
        return request.state.user

    @app.get("/queues")
    def queues(who: Any = Depends(user)) -> dict[str, Any]:  # noqa: B008
        return {"id": who.id, "name": who["name"]}

    assert ask(app, "/queues", ("Authorization", f"Bearer {claims()}")).body == b'{"id":"ada","name":"Ada"}'
    assert ask(app, "/queues", ("Accept", "application/json")).status == 401


def test_lilya_s_requests_show_the_user() -> None:
    from lilya.apps import Lilya
    from lilya.middleware import DefineMiddleware
    from lilya.responses import PlainText
    from lilya.routing import Path

    async def page(request: Any) -> PlainText:
        return PlainText(request.state.user.id if hasattr(request.state, "user") else "nobody")

    gate = DefineMiddleware(AuthGateMiddleware, public_paths=["/open"], **settings())
    app = Lilya(routes=[Path("/queues", page), Path("/open", page)], middleware=[gate])
    assert ask(app, "/queues", ("Cookie", session(NOW))).body == b"ada"
    assert ask(app, "/open", ("Cookie", session(NOW))).body == b"nobody"
    assert ask(app, "/queues").status == 303


def test_a_backend_is_handed_the_request_of_the_framework_that_is_in_use() -> None:
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.sessions import SessionMiddleware
    from starlette.responses import PlainTextResponse, RedirectResponse
    from starlette.routing import Route

    class Host:
        """Signs in through the host's own session."""

        async def authenticate(self, request: Any) -> Any:
            who = request.session.get("who")
            return {"id": who, "roles": ["ops"]} if who else None

        async def login(self, request: Any) -> Any:
            if request.method == "POST":
                request.session["who"] = (await request.form())["who"]
                return RedirectResponse("/queues", 303)
            return PlainTextResponse(f"who are you? then {request.scope['authgate.next']}")

        async def logout(self, request: Any) -> Any:
            request.session.clear()
            return RedirectResponse("/login", 303)

        def routes(self) -> Any:
            return [Route("/sso", PlainTextResponse("sso"))]

    def page(request: Any) -> Any:
        return PlainTextResponse(request.state.user["id"])

    app = Starlette(
        routes=[Route("/queues", page)],
        middleware=[
            Middleware(SessionMiddleware, secret_key=SECRET),
            Middleware(AuthGateMiddleware, backend=Host(), access=Access.role("ops"), clock=Clock()),
        ],
    )
    answer = ask(app, "/queues")
    assert (answer.status, answer["location"]) == (303, "/login?next=%2Fqueues")
    assert ask(app, "/login?next=%2Fqueues").body == b"who are you? then /queues"
    assert ask(app, "/sso").body == b"sso"
    form = [("Content-Type", "application/x-www-form-urlencoded"), ("Origin", "http://dash.example")]
    answer = ask(app, "/login", *form, method="POST", body=b"who=ada")
    assert answer.status == 303
    cookie = ("Cookie", (answer["set-cookie"] or "").split(";")[0])
    assert ask(app, "/queues", cookie).body == b"ada"
    answer = ask(app, "/logout", cookie, form[1], method="POST")
    assert (answer.status, answer["location"]) == (303, "/login")


def test_signing_in_and_out_over_wsgi() -> None:
    gate = AuthGate(wsgi_dashboard, **settings())
    cookie = sign_in(gate).cookie
    headers = [HOST, ("Cookie", cookie), ("Origin", "http://dash.example")]
    assert ask_wsgi(gate, environ_of("GET", "/queues", headers))["x-seen-user"] == "Ada"
    assert ask_wsgi(gate, environ_of("POST", "/logout", headers)).status == 303
    assert ask_wsgi(gate, environ_of("GET", "/queues", headers)).status == 303
