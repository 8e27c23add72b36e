"""The tables of dialogues that every driver of the gate answers, those in Rust as well: `tests/vectors`."""

from __future__ import annotations

import functools
import json
import tomllib
from pathlib import Path
from typing import Any

from authgate import Event

from world import NOW, Answer, session, token

VECTORS = Path(__file__).resolve().parents[2] / "tests" / "vectors"


class Dialogue:
    """A request as it is sent, and what must come of it."""

    def __init__(self, table: str, settings: dict[str, Any], given: dict[str, Any]) -> None:
        self.table = table
        self.settings = settings
        self.wanted = given
        self.name = f"{table}::{given['name']}"
        lines = given["request"].rstrip().split("\n")
        self.method, self.target, self.version = fill(lines[0]).split(" ")
        self.headers = [
            (name, value.strip()) for name, _, value in (fill(line).partition(":") for line in lines[1:])
        ]
        self.form = given.get("form")
        if self.form is not None:
            self.headers += [
                ("Content-Type", "application/x-www-form-urlencoded"),
                ("Content-Length", str(len(self.form))),
            ]

    @property
    def body(self) -> bytes:
        return (self.form or "").encode()

    @property
    def is_websocket(self) -> bool:
        return any(name.lower() == "upgrade" for name, _ in self.headers)

    @property
    def relative(self) -> str:
        """The target as a server tells it: without the authority of an absolute form."""
        if self.target.startswith("http://"):
            return "/" + self.target.split("/", 3)[3]
        return self.target

    def raw(self) -> bytes:
        lines = [
            f"{self.method} {self.target} {self.version}",
            *(f"{name}: {value}" for name, value in self.headers),
        ]
        return "\r\n".join([*lines, "", ""]).encode() + self.body

    def faults(self, found: Answer, told: list[Event]) -> list[str]:
        """What differs."""
        faults: list[str] = []

        def expect(what: str, wanted: object, got: object) -> None:
            if wanted != got:
                faults.append(f"{what}: wanted {wanted!r}, got {got!r}")

        wanted = self.wanted
        audit = (wanted["outcome"], wanted["reason"], wanted.get("user"), wanted.get("client", "127.0.0.1"))
        expect("status", wanted["status"], found.status)
        expect("audit", [audit], [(event.outcome, event.reason, event.user, event.client) for event in told])
        # A cookie that says farewell comes beside a removed one when somebody signs out.
        headers = [(name, value) for name, value in found.headers if not value.startswith("authgate-left=1;")]
        for name, value in wanted.get("headers", {}).items():
            expect(name, [value], [got for field, got in headers if field == name])
        for name in wanted.get("without", ()):
            expect(name, None, found[name])
        expect("one cookie at most", True, sum(name == "set-cookie" for name, _ in headers) <= 1)
        body = found.body.decode()
        if "body" in wanted:
            expect("body", wanted["body"], body)
        if wanted.get("contains", "") not in body:
            faults.append(f"the body does not hold {wanted['contains']!r}: {body!r}")
        if "passed" in wanted:
            expect("passed", f"passed: {' '.join(wanted['passed'])}", body)
        for name, value in found.headers:
            expect(f"{name} is plain ASCII", True, all(" " <= char <= "~" for char in value))
        return faults


@functools.cache
def dialogues() -> list[Dialogue]:
    found = []
    for path in sorted(VECTORS.glob("*.toml")):
        table = tomllib.loads(path.read_text())
        found += [Dialogue(path.stem, table.get("gate", {}), given) for given in table["dialogue"]]
    return found


@functools.cache
def placeholders() -> dict[str, str]:
    def ada(more: str = "") -> str:
        return f'{{"sub":"ada","name":"Ada"{more}}}'

    sneaky = {"is_admin": [True], "role": "admin", "roles": {"ops": True}, "admin": True}
    return {
        "ada": token(ada()),
        "admin": token(ada(',"is_admin":true')),
        "ops": token(ada(',"roles":["ops"]')),
        "sneaky": token(ada(f",{json.dumps(sneaky)[1:-1]}")),
        "expired": token(ada(',"exp":1799999999')),
        "none": token(ada(',"is_admin":true'), header='{"alg":"none"}', secret=None),
        "forged": token(ada(), secret="x" * 64),
        "long": token(ada(f',"x":"{"x" * 40_000}"')),
        "x4096": "x" * 4096,
        "session": session(NOW),
        "idle": session(NOW - 31 * 60),
    }


def fill(text: str) -> str:
    for name, value in placeholders().items():
        text = text.replace(f"{{{name}}}", value)
    return text
