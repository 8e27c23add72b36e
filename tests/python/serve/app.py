"""A small dashboard without any notion of users: a page, a form, events, a websocket, and what it was told of a request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Jobs</title>
<h1>Jobs</h1>
<p>You are <output id="who">{user}</output>.</p>
<form method="post" action="/jobs"><button>Pause</button></form>
<p>Events: <output id="events">none</output></p>
<p>Echo: <output id="echo">none</output></p>
<script>
  const show = (id, text) => document.getElementById(id).textContent = text;
  new EventSource('/events').onmessage = (event) => show('events', event.data);
  const socket = new WebSocket(location.origin.replace('http', 'ws') + '/ws');
  socket.onopen = () => socket.send('hello');
  socket.onmessage = (message) => show('echo', message.data);
</script>
</html>
"""


async def page(request: Request) -> Response:
    return HTMLResponse(PAGE.format(user=request.headers.get("x-auth-user", "nobody")))


async def jobs(request: Request) -> Response:
    return HTMLResponse("<title>Paused</title><h1>Paused</h1>")


async def told(request: Request) -> Response:
    """Every field of the request, as it came."""
    pairs = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in request.headers.raw]
    return JSONResponse({"method": request.method, "path": request.url.path, "fields": pairs})


async def count_body(request: Request) -> Response:
    length = 0
    async for piece in request.stream():
        length += len(piece)
    return PlainTextResponse(str(length))


async def events(request: Request) -> Response:
    async def numbers() -> AsyncIterator[str]:
        number = 0
        while True:
            number += 1
            yield f"data: {number}\n\n"
            await asyncio.sleep(0.2)

    return StreamingResponse(numbers(), media_type="text/event-stream")


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(f"{text}, {websocket.headers.get('x-auth-user', 'nobody')}")


app = Starlette(
    routes=[
        Route("/", page),
        Route("/jobs", jobs, methods=["POST"]),
        Route("/told/{rest:path}", told, methods=["GET", "POST", "PUT", "DELETE"]),
        Route("/upload", count_body, methods=["POST"]),
        Route("/events", events),
        WebSocketRoute("/ws", echo),
    ]
)
