"""Gates whose clock is set by hand, before a dashboard that tells what came: the program as a driver of `tests/vectors`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Set
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from dialogues import NOW, Cannot, Request, Told, Visit, cookie_of
from forged_tokens import HERE, SECRET, tokens
from serve.upstreams import Peer, Seen, Upstream, answer
from support.checks import until
from support.needed import faketime
from support.program import Site, serving
from support.wire import Reply, parse_replies, talk

# "right", which is everybody's password but Grace's, "hopper-1906". A hash costs next to nothing, so that many may sign in;
# never store such ones.
RIGHT = "$argon2id$v=19$m=8,t=1,p=1$c2FsdCBvZiAxNiBieXRlcw$mk96eLbeITGl1A2rRnGb6wcyqi8Lk150YdjSzuZI4HA"
HOPPER = "$argon2id$v=19$m=8,t=1,p=1$c2FsdCBvZiAxNiBieXRlcw$k5Gp3aXLW4TZflNXpC4uwyKWAvk3Y6oA+0OPpl0u4ww"
PEOPLE = {"ada": RIGHT, "alan": RIGHT, "grace": HOPPER, "joan": RIGHT, "mary": RIGHT}
ROLES = {"joan": ["ops"]}
CHANGING = {b"alan", b"joan", b"mary"}
"""Who is another one when the dialogues' worlds are asked about them again."""

# Why there is no such gate, or no such world around it.
NO_LIMITS = "no key of authgate.toml sets these limits: see the table usual_limits"
NO_REDIS = "what gates share is a Redis, which goes by a clock of its own: see tests/several"
NO_ROUTER = "no router is around it that could cut anything off a path"
NO_BACKEND = "somebody's own backend is asked, and the program has none"
SURE_PEOPLE = "people are in a file, which cannot be down or talk nonsense"
SAME_PEOPLE = "a change to the file of people is heard of at once: see test_reload_people"
SURE_KEYS = "the provider's keys are fetched before a token asks for them"
SURE_MEMORY = "neither this process's memory nor the system's randomness can be down"

NO_KEY = {"sharing": NO_REDIS, "throttle": NO_LIMITS, "below": NO_ROUTER}
SURE = {"AskBackend": NO_BACKEND, "CheckPassword": SURE_PEOPLE, "LookUpUser": SURE_PEOPLE, "FetchKeys": SURE_KEYS}

# What the gate writes itself, whatever came; and what goes without saying.
WRITTEN = {"forwarded", "x-auth-user", "x-auth-roles", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"}
UNTOLD = WRITTEN | {"authorization", "connection", "content-length", "host"}

# The settings that are called alike here and there, and those that are not.
ALIKE = {
    "admins_only", "allowed_hosts", "allowed_networks", "audience", "forward_auth", "identity_headers", "issuer",
    "login_path", "mount", "public_paths", "public_prefixes", "require_tls", "roles", "trusted_proxies",
}  # fmt: skip
OTHERWISE = {"backends", "forwarded_host", "idle", "lifetime", "rules", "sessions"}
DEFAULTS = {"mount": "/ops", "public_paths": ["/healthz"], "public_prefixes": ["/static"], "require_tls": False}


class Clock:
    """The system's time of day, as far as a program can tell that is started with `env`. Its timers go on as ever."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "time"
        self.set(NOW)
        self.env = {
            "LD_PRELOAD": str(faketime()),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_FMT": "%s",
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def set(self, now: int) -> None:
        """The file is read whenever the program asks for the time, so it must never be half written."""
        written = self.file.with_suffix(".new")
        written.write_text(str(now))
        written.replace(self.file)


def sweep(process: int) -> None:
    """Removes what the library leaves of a program that is killed: none could be started again under that id."""
    for kind in ("faketime_shm", "sem.faketime_sem"):
        Path(f"/dev/shm/{kind}_{process}").unlink(missing_ok=True)


def dashboard(peer: Peer, seen: Seen) -> None:
    """Says who came, by the gate's word, and with which fields."""
    seen.read(peer)
    names = sorted({name.lower() for name, _ in seen.fields} - UNTOLD)
    who = ", ".join(id.capitalize() for id in seen.all("X-Auth-User")) or "-"
    roles = [role for roles in seen.all("X-Auth-Roles") for role in roles.split(",") if role]
    rights = " ".join(f"role:{role}" for role in roles)
    answer(peer, seen, f"passed: {' '.join(names)}".encode(), f"X-Seen-User: {who}", f"X-Seen-Rights: {rights}")


def publish(peer: Peer, seen: Seen) -> None:
    """A provider's keys."""
    seen.read(peer)
    answer(peer, seen, (HERE / "keys" / "jwks.json").read_bytes())


@dataclass(frozen=True)
class Around:
    """What gates of one runtime have around them."""

    runtime: str
    dashboard: Upstream
    provider: Upstream
    sessions: dict[int, str]
    """Sealed sessions of Ada's, by when they began."""


def configuration(settings: Mapping[str, Any], around: Around) -> dict[str, Any]:
    """The gate of a table, as authgate.toml has it."""
    for name, why in NO_KEY.items():
        if name in settings:
            raise Cannot(why)
    if beyond := settings.keys() - ALIKE - OTHERWISE:
        raise ValueError(f"no key says {', '.join(sorted(beyond))}")
    keys = DEFAULTS | {key: value for key, value in settings.items() if key in ALIKE}
    if not settings.get("forward_auth"):
        keys["upstream"] = around.dashboard.url
        keys["forwarded_fields"] = "x-forwarded-host" if settings.get("forwarded_host") else "x-forwarded"
    for name in ("idle", "lifetime"):
        if name in settings:
            keys[f"session_{name}"] = f"{settings[name]}s"
    if "rules" in settings:
        keys["rule"] = settings["rules"]
    # Whoever else is asked is somebody's own code.
    backends = settings.get("backends", ["jwt"])
    if "jwt" in backends:
        keys["jwt_secret_file"] = "secret"
    if "keys" in backends:
        keys |= {"jwks_url": f"{around.provider.url}/jwks.json", "algorithms": ["ES256"]}
    if "password" in backends:
        keys["users_file"] = "users.toml"
        if settings.get("sessions") != "records":
            keys |= {"session_store": "cookie", "session_secret_files": "secret"}
    return keys


def toml(value: object) -> str:
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {toml(one)}' for key, one in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value)


def user(id: str, hash: str) -> str:
    fields = {"id": id, "name": id.capitalize(), "password": hash, "roles": ROLES.get(id, [])}
    return "\n".join(["[[user]]", *(f"{key} = {toml(value)}" for key, value in fields.items()), ""])


@contextmanager
def still(settings: Mapping[str, Any], around: Around, folder: Path) -> Iterator[Still]:
    """A gate, whose files are in a folder of its own."""
    keys = configuration(settings, around)
    lines = [f"{key} = {toml(value)}\n" for key, value in keys.items()]
    users = [user(id, hash) for id, hash in PEOPLE.items()]
    for name, text in {"authgate.toml": "".join(lines), "users.toml": "".join(users), "secret": SECRET}.items():
        (folder / name).touch(0o600)
        (folder / name).write_text(text)
    clock = Clock(folder)
    with ExitStack() as ended:
        with serving(around.runtime, "--config", folder / "authgate.toml", log="authgate=info", **clock.env) as site:
            ended.callback(sweep, site.process.pid)
            for secret in (SECRET, *tokens().values()):
                site.hide(secret)
            if "jwks_url" in keys:
                until(lambda: "the provider's keys have come" in site.log(), "it has fetched keys")
            gate = Still(site, around, clock)
            yield gate
            assert gate.hear(NOW) == [], "it told of somebody who did not come"


@dataclass
class Still:
    """A gate whose clock stands still."""

    site: Site
    around: Around
    clock: Clock
    read: int = 0  # how much of its log
    typed: set[bytes] = field(default_factory=set)  # usernames
    untold: Set[str] = frozenset({"admins"})
    """A dashboard learns roles, from X-Auth-Roles."""

    def session(self, since: int) -> str:
        return self.around.sessions[since]

    def ask(self, request: Request, now: int, visit: Visit) -> tuple[Reply, list[Told]]:
        self.must_have_answers(request, visit)
        self.clock.set(now)
        already = len(self.around.dashboard.seen)
        # Where the request does not speak of it: the connection's end is the answer's.
        says_so = any(name.lower() == "connection" for name, _ in request.headers)
        payload = request.raw(*([] if says_so else [("Connection", "close")]))
        received = talk(self.site.address, payload, half_close=True)
        replies = parse_replies(received, has_body=request.method != "HEAD")
        assert len(replies) == 1, f"{len(replies)} answers to one request"
        if cookie := cookie_of(replies[0]):
            self.site.hide(cookie.partition("=")[2])
        told = self.hear(now)
        self.must_have_passed_on(self.around.dashboard.seen[already:], told)
        return replies[0], told

    def must_have_answers(self, request: Request, visit: Visit) -> None:
        """Whatever it is going to ask, it is answered here as in the dialogue."""
        for question in sorted(visit.down - {"ReadBody"}):
            raise Cannot(SURE.get(question, SURE_MEMORY))
        if "AskBackend" in visit.asked or visit.wanted.get("outcome") == "delegate":
            raise Cannot(NO_BACKEND)
        if re.search(b"&password=(down|nonsense)", request.body):
            raise Cannot(SURE_PEOPLE)
        self.typed |= set(re.findall(rb"^username=(\w+)", request.body))
        if "LookUpUser" in visit.asked and self.typed & CHANGING:
            raise Cannot(SAME_PEOPLE)

    def hear(self, now: int) -> list[Told]:
        """What the log tells of those who have come since it was last read."""
        log = self.site.log()
        lines, self.read = log[self.read :].splitlines(), len(log)
        moment = datetime.fromtimestamp(now, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
        told = []
        for line in lines:
            given = {name: quoted or plain for name, quoted, plain in re.findall(r' (\w+)=(?:"([^"]*)"|(\S+))', line)}
            if "outcome" in given:
                assert line.startswith(moment), f"its clock does not stand at {moment}: {line}"
                status = int(given["status"]) if "status" in given else None
                outcome, reason, client, kind = (given[key] for key in ("outcome", "reason", "client", "kind"))
                detail = line.partition(" authgate: ")[2].partition(" request=")[0]
                asked = f"{given['method']} {given['path']}"
                told.append(Told(outcome, status, reason, detail, given.get("user"), client, kind, asked))
        return told

    def must_have_passed_on(self, passed: list[Seen], told: list[Told]) -> None:
        """Nobody has come to the dashboard but whom it says it let in; with fields that the gate wrote, and no proof."""
        let_in = [one for one in told if one.outcome == "forward"]
        assert len(passed) == len(let_in), f"the dashboard saw {passed}"
        for seen, one in zip(passed, let_in):
            assert seen.all("X-Forwarded-For") == [one.client], seen
            shown = [value for _, value in seen.fields if any(secret in value for secret in self.site.hidden)]
            assert not shown, f"the dashboard was shown {shown}"
