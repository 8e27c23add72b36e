"""What it costs to check a token, beside others, in one interleaved run: `python python/benches/tokens.py`.

`--json` prints the figures alone. Needs what `benches/requirements.txt` names. Take the ratios. The figures are microseconds a call, the least of many repeats.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import oxyjwt
from asyncmq.contrib.dashboard.admin.backends.jwt import JWTAuthBackend as AsyncMQ
from joserfc import jwk
from joserfc import jwt as jose
from lilya.requests import Request

from authgate import JWTAuthBackend

KEYS = Path(__file__).parents[2] / "tests" / "keys"
SECRET = "a secret of sixty-four bytes that is known to the tests only ...."
NAMES = {"HS256": None, "RS256": "rsa2048", "ES256": "p-256", "EdDSA": "ed25519"}
REPEATS = 15


def main() -> None:
    warnings.simplefilter("ignore")
    columns = [measure(contenders(algorithm)) for algorithm in NAMES]
    if "--json" in sys.argv:
        print(json.dumps(dict(zip(NAMES, columns, strict=True))))
        return
    print(f"{'':24}" + "".join(f"{name:>20}" for name in NAMES))
    for name in columns[0]:
        cells = (
            f"{column[name]:8.2f} ({column[name] / column['authgate, verify']:5.1f} ×)" for column in columns
        )
        print(f"{name:24}" + "".join(f"{cell:>20}" for cell in cells))


def contenders(algorithm: str) -> dict[str, Callable[[], Any]]:
    name = NAMES[algorithm]
    private = (KEYS / f"{name}.private.pem").read_text() if name else SECRET
    public = (KEYS / f"{name}.pem").read_text() if name else SECRET
    now = int(time.time())
    claims = {"sub": "u-12345", "name": "Ada Lovelace", "is_admin": True, "roles": ["ops", "viewer"]}
    claims |= {"iat": now, "exp": now + 86_400, "aud": "dashboard", "iss": "https://issuer.example"}
    token = jwt.encode(claims, private, algorithm)
    expected: dict[str, Any] = {"audience": "dashboard", "issuer": "https://issuer.example"}

    ours = JWTAuthBackend(secret=public, algorithms=[algorithm], **expected)
    theirs = AsyncMQ(secret=public, algorithms=[algorithm], **expected)
    fields = [(b"host", b"x"), (b"accept", b"*/*"), (b"authorization", f"Bearer {token}".encode())]
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": fields}
    kinds: dict[str, Any] = {"HS256": "oct", "RS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}
    jose_key = jwk.import_key(public, kinds[algorithm])
    registry = jose.JWTClaimsRegistry(
        aud={"essential": True, "value": "dashboard"},
        iss={"essential": True, "value": "https://issuer.example"},
    )
    oxy_key = oxy(algorithm, public)

    def with_joserfc() -> None:
        registry.validate(jose.decode(token, jose_key, [algorithm]).claims)

    def with_asyncmq() -> Any:
        return answer(theirs.authenticate(Request(scope)))

    all_of_them: dict[str, Callable[[], Any]] = {
        "authgate, verify": lambda: ours.verify(token),
        "authgate, authenticate": lambda: answer(ours.authenticate(scope)),
        "oxyjwt, prepared key": lambda: oxyjwt.decode(token, oxy_key, algorithms=[algorithm], **expected),
        "joserfc": with_joserfc,
        "PyJWT, decode": lambda: jwt.decode(token, public, algorithms=[algorithm], **expected),
        "AsyncMQ, authenticate": with_asyncmq,
    }
    assert ours.verify(token) is not None and with_asyncmq() is not None
    return all_of_them


def oxy(algorithm: str, public: str) -> Any:
    made = oxyjwt.DecodingKey
    makers = {
        "HS256": made.from_secret,
        "RS256": made.from_rsa_pem,
        "ES256": made.from_ec_pem,
        "EdDSA": made.from_ed_pem,
    }
    return makers[algorithm](public.encode())


def answer(coroutine: Any) -> Any:
    """What a coroutine returns that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits")


def measure(calls: dict[str, Callable[[], Any]]) -> dict[str, float]:
    best = dict.fromkeys(calls, float("inf"))
    times = {name: max(20, int(0.004 / once(call, 20))) for name, call in calls.items()}
    for _ in range(REPEATS):
        for name, call in calls.items():
            best[name] = min(best[name], once(call, times[name]) * 1e6)
    return best


def once(call: Callable[[], Any], times: int) -> float:
    start = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - start) / times


if __name__ == "__main__":
    main()
