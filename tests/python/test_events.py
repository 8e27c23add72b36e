"""The event stream: gated like a page, it flows, and it ends when the token's time is up."""

from __future__ import annotations

import time

from support import tokens
from support.program import Demo
from support.wire import Stream


def events(demo: Demo, token: str) -> Stream:
    return Stream(demo.address, "/ops/events", [("Accept", "text/event-stream"), tokens.bearer(demo.hide(token))])


def test_with_a_token_events_flow(demo: Demo) -> None:
    with events(demo, demo.mint()) as stream:
        assert stream.reply.status == 200
        assert (stream.reply.header("Content-Type") or "").startswith("text/event-stream")
        stream.wait_for(b"data:")
        stream.received = b""
        stream.wait_for(b"data:")  # it goes on


def test_t13_the_stream_ends_when_the_token_expires(demo: Demo) -> None:
    end = int(time.time()) + 3
    with events(demo, demo.mint()) as lasting, events(demo, demo.mint(exp=end)) as brief:
        brief.wait_for(b"data:")
        assert brief.ended_by(end + 3), "the stream outlives its token"
        assert time.time() >= end - 0.1, "ended too early"
        assert not lasting.ended_by(time.time() + 0.5), "a stream ended that is none of this token's business"


def test_t13_a_stream_without_exp_goes_on(demo: Demo) -> None:
    with events(demo, demo.mint(exp=None)) as stream:
        assert not stream.ended_by(time.time() + 2)
        stream.wait_for(b"data:")


def test_many_streams_at_once(demo: Demo) -> None:
    streams = [events(demo, demo.mint()) for _ in range(20)]
    try:
        for stream in streams:
            stream.wait_for(b"data:")
        assert demo.get("/ops/queues", token=demo.mint()).status == 200
    finally:
        for stream in streams:
            stream.socket.close()
