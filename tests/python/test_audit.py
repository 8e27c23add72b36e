"""Every decision leaves a trace, and no trace shows a secret. (Each demo's whole log is searched when it ends.)"""

from __future__ import annotations

import html
import secrets

from support.program import Demo


def audit(demo: Demo) -> str:
    reply = demo.get("/ops/audit", token=demo.mint(sub="auditor"))
    assert reply.status == 200
    return reply.text


def test_t33_a_refusal_is_in_the_audit_and_in_the_log(demo: Demo) -> None:
    page = f"/ops/queues/{secrets.token_hex(8)}"
    assert demo.get(page).status == 303
    assert page in audit(demo)
    assert page in demo.log()


def test_t33_an_admission_names_the_user(demo: Demo) -> None:
    name = f"user-{secrets.token_hex(8)}"
    assert demo.get("/ops/queues", token=demo.mint(sub=name)).status == 200
    assert name in audit(demo)
    assert name in demo.log()


def test_t33_no_token_is_shown(demo: Demo) -> None:
    good, bad = demo.mint(), demo.mint(exp=1)
    for token in (good, bad):
        demo.get("/ops/queues", token=token)
    demo.get(f"/ops/queues?access_token={good}")
    shown = audit(demo)
    for token in (good, bad):
        assert token.rpartition(".")[2] not in shown
        assert token.rpartition(".")[2] not in demo.log()


def test_what_strangers_send_is_text_in_the_audit(demo: Demo) -> None:
    mark = secrets.token_hex(8)
    demo.get(f"/ops/queues/%3Cb%3E{mark}", ("User-Agent", f"<i>{mark}"), ("X-Request-Id", f"<u>{mark}"))
    shown = audit(demo)
    for tag in ("b", "i", "u"):
        assert f"<{tag}>{mark}" not in shown
    assert mark in html.unescape(shown)


def test_a_log_line_cannot_be_forged(demo: Demo) -> None:
    mark = secrets.token_hex(8)
    demo.get("/ops/queues", token=demo.mint(sub=f"u\n{mark} forged\r\x1b[2J", name=f"n\n{mark} forged"))
    demo.get(f"/ops/queues/%0a{mark}%20forged")
    for line in demo.log().splitlines():
        assert not line.startswith(mark)
    assert "\x1b[2J" not in demo.log()
