"""Every decision leaves a trace, and no trace shows a secret. (Each demo's whole log is searched when it ends.)"""

from __future__ import annotations

import html
import re
import secrets

from support.checks import until
from support.people import Crowd, Person, newcomer
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


def entries(demo: Demo, user: str) -> list[tuple[str, str, str]]:
    """What the log tells of a user's visits to the login and the logout: reason, client, status."""
    told = []
    for line in demo.log().splitlines():
        given = {name: quoted or plain for name, quoted, plain in re.findall(r' (\w+)=(?:"([^"]*)"|(\S+))', line)}
        if given.get("user") == user and given.get("path") in ("/ops/login", "/ops/logout"):
            told.append((given["reason"], given["client"], given["status"]))
    return told


def test_t33_signing_in_and_out_names_user_and_client(door: Demo, crowd: Crowd) -> None:
    person = newcomer(door, crowd)
    person.try_to_sign_in(password=secrets.token_urlsafe(12))
    person.sign_in()
    person.sign_out()
    from_there = person.source
    assert entries(door, person.username) == [
        ("wrong-password", from_there, "401"),
        ("sign-in", from_there, "303"),
        ("sign-out", from_there, "303"),
    ]


def test_t33_a_try_that_was_not_made_is_told_too(door: Demo) -> None:
    guesser = Person(door, f"nobody-{secrets.token_hex(4)}", secrets.token_urlsafe(12), "127.0.4.1")
    for _ in range(11):
        guesser.try_to_sign_in(password=secrets.token_urlsafe(12))
    wrong, throttled = ("wrong-password", "127.0.4.1", "401"), ("throttled", "127.0.4.1", "429")
    told = entries(door, guesser.username)
    assert told.count(wrong) >= 10 and set(told) <= {wrong, throttled}
    until(lambda: guesser.try_to_sign_in().status == 429, "the next one has to wait")
    assert throttled in entries(door, guesser.username)


def test_t33_a_username_forges_no_line(door: Demo) -> None:
    mark = secrets.token_hex(8)
    for name in (f"a\n{mark} forged", f"a\r{mark}", f'a" user="admin{mark}', f"\x1b[2J{mark}", f"a\u2028{mark}"):
        Person(door, name, secrets.token_urlsafe(12), "127.0.4.2").try_to_sign_in()
    for line in door.log().splitlines():
        assert not line.startswith(mark)
    assert "\x1b[2J" not in door.log() and f'user="admin{mark}' not in door.log()


def test_t33_the_audit_page_shows_who_signed_in_and_no_secret(door: Demo, crowd: Crowd) -> None:
    person = newcomer(door, crowd)
    person.sign_in()
    shown = html.unescape(person.get("/ops/audit").text)
    assert "sign-in" in shown and person.username in shown and person.source in shown
    assert person.password not in shown and (person.cookie or "").partition("=")[2] not in shown
