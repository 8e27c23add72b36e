"""The world of one dialogue: its clock is moved by hand, everybody answers by rote, and some can be down."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from authgate import (
    Access,
    Endings,
    Event,
    JWTAuthBackend,
    Sessions,
    SimpleUsernamePasswordBackend,
    Throttle,
    User,
)

import world
from dialogues import NOW, Cannot, Told
from forged_tokens import HERE, SECRET

PASSWORDS = {"ada": "right", "alan": "right", "joan": "right", "mary": "right", "grace": "hopper-1906"}
KNOWN = {
    "admins_only", "allowed_hosts", "audience", "backends", "below", "forwarded_host", "identity_headers", "idle", "issuer",
    "lifetime", "login_path", "mount", "public_paths", "public_prefixes", "roles", "sessions", "sharing", "throttle",
    "trusted_proxies",
}  # fmt: skip
"""The settings that the keywords of a front door can say."""


class World:
    """What time it is, who is down, and what the audit trail has been told."""

    def __init__(self) -> None:
        self.clock = world.Clock()
        self.down: Collection[str] = ()
        self.events: list[Event] = []

    def told(self, below: str) -> list[Told]:
        """What there is since this was last asked, of a gate below this root."""
        events, self.events[:] = self.events[:], []
        return [told(one, below) for one in events]

    def up(self, question: str) -> None:
        if question in self.down:
            raise ConnectionError(f"{question} is down")

    def verify(self, username: str, password: str) -> Any:
        """Whose a password is."""
        self.up("CheckPassword")
        if password == "down":
            # Not in the word that was typed, which is kept out of whatever is told.
            raise ConnectionError("the user store is out of reach")
        if password == "nonsense":
            return world.verify(username, password)
        if PASSWORDS.get(username) != password:
            return None
        who = user(username, *(["ops"] if username == "joan" else []))
        return (who, "a hash") if username == "mary" else who

    def look_up(self, id: str) -> Any:
        """What has become of somebody: Alan is gone, Joan has lost her role, Mary has another password."""
        self.up("LookUpUser")
        if id == "alan":
            return None
        return (user(id), "another hash") if id == "mary" else user(id)


def told(event: Event, below: str) -> Told:
    """What an event tells. Whoever has raised an error is named before its words; the root is a part of the path as sent."""
    assert event.path.startswith(below), event
    line = f"{event.method} {event.path.removeprefix(below)}"
    detail = re.sub("^.* raised ConnectionError: ", "", event.detail)
    return Told(event.outcome, event.status, event.reason, detail, event.user, event.client, event.kind, line)


def user(id: str, *roles: str) -> User:
    """Somebody who is called by their id, with a capital."""
    return User(id, id.capitalize(), is_admin=False, roles=list(roles))


class directory(world.directory):  # noqa: N801  (a backend is called as its class is)
    """Knows people by a cookie."""

    knows: Mapping[str | None, Any] = {"session=ada": user("ada"), "session=nobody": {"id": ""}}

    def __init__(self, around: World) -> None:
        self.around = around

    def authenticate(self, request: Any) -> Any:
        self.around.up("AskBackend")
        cookie = request.headers.get("cookie")
        if cookie == "session=down":
            raise ConnectionError("the directory is down")
        return self.knows.get(cookie)


class annex(directory):  # noqa: N801
    """The same once more, for others."""

    knows = {"session=grace": user("grace")}

    def routes(self) -> Any:
        return []


class Store:
    """Records of sessions, each of which is forgotten when its time has come."""

    def __init__(self, around: World) -> None:
        self.around = around
        self.records: dict[str, tuple[bytes, float]] = {}

    def load(self, session_id: str) -> bytes | None:
        self.around.up("LoadSession")
        data, until = self.records.get(session_id, (None, 0))
        return data if until > self.around.clock() else None

    def create(self, session_id: str, data: bytes, until: float) -> bool:
        self.around.up("CreateSession")
        if self.load(session_id) is not None:
            return False
        self.records[session_id] = data, until
        return True

    def renew(self, session_id: str, data: bytes, until: float) -> bool:
        self.around.up("RenewSession")
        if self.load(session_id) is None:
            return False
        self.records[session_id] = data, until
        return True

    def remove(self, session_id: str) -> None:
        self.around.up("DropSession")
        self.records.pop(session_id, None)


class Shared(Store):
    """One that gates share, which tells one ending at a time."""

    def __init__(self, around: World) -> None:
        super().__init__(around)
        self.ended: list[tuple[str, float]] = []
        self.tries: dict[str, str] = {}

    def remove(self, session_id: str) -> None:
        super().remove(session_id)
        self.ended.append((session_id, self.around.clock()))

    def endings(self, position: str | None, lifetime: float) -> Endings:
        self.around.up("HearEndings")
        start = int(position or 0)
        told = self.ended[start : start + 1]
        end = start + len(told)
        more, now = end < len(self.ended), self.around.clock()
        return Endings(position=str(end), floor=NOW, now=now, more=more, sessions=told)

    def end_user(self, user: str, ago: float) -> None:
        raise NotImplementedError("no dialogue ends all sessions of a user")

    def counts(self, keys: Sequence[str]) -> list[str | None]:
        self.around.up("LoadCounts")
        return [self.tries.get(key) for key in keys]

    def swap_counts(self, changes: Sequence[tuple[str, str | None, str | None, float | None]]) -> bool:
        self.around.up("SwapCounts")
        if any(self.tries.get(key) != was for key, was, _, _ in changes):
            return False
        for key, _, becomes, _ in changes:
            if becomes is None:
                self.tries.pop(key, None)
            else:
                self.tries[key] = becomes
        return True


def keywords(settings: Mapping[str, Any], around: World) -> dict[str, Any]:
    """The keywords that make the gate of a table."""
    if unknown := settings.keys() - KNOWN:
        raise Cannot(f"no keyword says {', '.join(sorted(unknown))}")
    roles = settings.get("roles")
    limits = settings.get("throttle")
    return {
        "backend": [backend(name, settings, around) for name in settings.get("backends", ["jwt"])],
        "session": sessions(settings, around) if "password" in settings.get("backends", []) else None,
        "throttle": Throttle(**limits) if limits else None,
        "mount": settings.get("mount", "/ops"),
        "login_path": settings.get("login_path", "/login"),
        "public_paths": settings.get("public_paths", ["/healthz"]),
        "allowlist": settings.get("public_prefixes", ["/static"]),
        "access": Access(admins_only=settings.get("admins_only", False), any_role=tuple(roles) if roles else None),
        "trusted_proxies": settings.get("trusted_proxies", ()),
        "forwarded_fields": "x-forwarded-host" if settings.get("forwarded_host") else "x-forwarded",
        "allowed_hosts": settings.get("allowed_hosts", ()),
        "identity_headers": settings.get("identity_headers", ()),
        "clock": around.clock,
        "on_event": around.events.append,
    }


def backend(name: str, settings: Mapping[str, Any], around: World) -> Any:
    asked = {name: settings[name] for name in ("audience", "issuer") if name in settings}
    makers = {
        "annex": lambda: annex(around),
        "directory": lambda: directory(around),
        "jwt": lambda: JWTAuthBackend(secret=SECRET, **asked),
        # A provider's are fetched by the system's clock, not by the gate's.
        "keys": lambda: JWTAuthBackend(jwks=(HERE / "keys" / "jwks.json").read_text(), algorithms=["ES256"]),
        "password": lambda: SimpleUsernamePasswordBackend(around.verify, look_up=around.look_up),
    }
    return makers[name]()


def sessions(settings: Mapping[str, Any], around: World) -> Sessions:
    store = Shared(around) if settings.get("sharing") else Store(around)
    if settings.get("sessions") == "records":
        made = Sessions.records(store)
    else:
        made = Sessions.sealed(SECRET).sharing(store) if isinstance(store, Shared) else Sessions.sealed(SECRET)
    return made.using(**{name: settings[name] for name in ("idle", "lifetime") if name in settings})
