"""People with browsers: files of users, sign-in forms, and cookies."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote, urlencode

from support.program import Running, authgate
from support.wire import HungUp, Reply, Stream, request_of

# "enigma". It costs next to nothing, so that many may sign in; never store such a hash.
ENIGMA = "$argon2id$v=19$m=8,t=1,p=1$c2FsdCBvZiAxNiBieXRlcw$y2C4YRdBy2+N3LVpfqQHVVefbDyD2B8rhio7MLBhODM"

ADA_AND_BOB = f"""\
[[user]]
id = "ada"
name = "Ada Lovelace"
roles = ["ops"]
password = "{ENIGMA}"

[[user]]
id = "bob"
password = "{ENIGMA}"
"""

FORM = ("Content-Type", "application/x-www-form-urlencoded")


class Form(HTMLParser):
    """The only form of a page: where it goes, and what it holds."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.targets: list[tuple[str | None, str | None]] = []
        self.fields: dict[str, str] = {}
        self.feed(reply.text)
        assert len(self.targets) == 1, f"{len(self.targets)} forms"
        self.method, self.action = self.targets[0]

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag == "form":
            self.targets.append((given.get("method"), given.get("action")))
        if tag == "input" and (name := given.get("name")):
            assert name not in self.fields, f"two fields {name}"
            self.fields[name] = given.get("value") or ""


@dataclass
class Crowd:
    """A user file with many people. They share one password, because hashing is slow on purpose."""

    path: Path
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    size: int = 100

    def __post_init__(self) -> None:
        entry = f'password = "{hash_of(self.password)}"\n'
        self.path.write_text("".join(f'[[user]]\nid = "{id}"\n{entry}' for id in self.ids))

    @property
    def ids(self) -> list[str]:
        return [f"user-{number}" for number in range(self.size)]


def ada_and_bob(folder: Path) -> Path:
    """A user file with Ada, who has the role ops, and Bob, who has none; "enigma" is the password of both."""
    file = folder / "users.toml"
    file.write_text(ADA_AND_BOB)
    return file


def hash_of(password: str) -> str:
    made = authgate("hash-password", stdin=password.encode())
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


@dataclass
class Person:
    """Somebody with a browser, at an address of their own: each one of 127.0.0.0/8 is a network to the gate."""

    demo: Running
    username: str
    password: str
    source: str = ""
    cookie: str | None = None

    def get(self, target: str, *headers: tuple[str, str]) -> Reply:
        return self.demo.request("GET", target, *self.cookies(), *headers, source=self.source)

    def post(self, target: str, *headers: tuple[str, str], body: bytes = b"") -> Reply:
        """Posts as a page of the dashboard does."""
        length = [] if body else [("Content-Length", "0")]
        given = [("Origin", self.demo.origin), *length, *self.cookies(), *headers]
        return self.demo.request("POST", target, *given, body=body, source=self.source)

    def try_to_sign_in(self, *headers: tuple[str, str], password: str | None = None, **fields: str) -> Reply:
        """Sends the form, with another password if one is given."""
        typed = self.demo.hide(self.password if password is None else password)
        body = {"username": self.username, "password": typed} | fields
        return self.post(self.at("/login"), FORM, *headers, body=urlencode(body).encode())

    def sign_in(self) -> None:
        """Signs in and keeps the cookie."""
        reply = self.try_to_sign_in()
        assert (reply.status, reply.header("Location")) == (303, self.at("/")), reply
        self.take(reply)

    def sign_out(self) -> Reply:
        return self.post(self.at("/logout"))

    def is_in(self) -> bool:
        """Whether the session is good; otherwise the answer must be the login page's address. An answer that is cut,
        because the session ended while it was on its way, lets nobody in either."""
        try:
            reply = self.get(self.at("/queues"))
        except HungUp:
            return False
        if reply.status != 200:
            target = f"{self.at('/login')}?next={quote(self.at('/queues'), safe='')}"
            assert (reply.status, reply.header("Location")) == (303, target)
        return reply.status == 200

    def take(self, reply: Reply) -> None:
        """Keeps the cookie of an answer, which the log may never show."""
        self.cookie, _ = cookie_of(reply)
        self.demo.hide(self.cookie.partition("=")[2])

    def at(self, path: str) -> str:
        """A path below the mount."""
        return f"{self.demo.mount.rstrip('/')}{path}"

    def cookies(self) -> list[tuple[str, str]]:
        return [("Cookie", self.cookie)] if self.cookie else []

    def events(self) -> Stream:
        return Stream(self.demo.address, self.at("/events"), [("Accept", "text/event-stream"), *self.cookies()])

    def attempt(self, password: str) -> bytes:
        """A try to sign in, as bytes."""
        body = urlencode({"username": self.username, "password": self.demo.hide(password)}).encode()
        return request_of(self.demo.address, "POST", self.at("/login"), [FORM, ("Origin", self.demo.origin)], body)


def cookie_of(reply: Reply) -> tuple[str, set[str]]:
    """The session's cookie that an answer sets, and its attributes in small letters. A sign-out may set one beside it."""
    fields = [field for field in reply.all("Set-Cookie") if not field.startswith("authgate-left=1;")]
    assert len(fields) == 1, f"the session's cookie is set {len(fields)} times"
    cookie, *attributes = fields[0].split("; ")
    return cookie, {attribute.lower() for attribute in attributes}


def newcomer(demo: Running, crowd: Crowd) -> Person:
    """Somebody of the crowd at an address of their own, neither of whom this demo has met: no try has failed yet."""
    number = next(demo.newcomers)
    return Person(demo, crowd.ids[number], crowd.password, f"127.0.1.{number + 1}")
