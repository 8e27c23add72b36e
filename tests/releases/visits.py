"""What the program is trained with: people who have signed in and programs with tokens in front of a small dashboard, files
that are open to everybody, and a few who are refused. What is not here works as well, and is only not favoured.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import DEVNULL, PIPE
from urllib.parse import urlsplit

from forged_tokens import SECRET, token

PASSWORD = "correct horse battery staple"
AUDIENCE = "dashboard"
ROUNDS = 100
ON_ONE_CONNECTION = 8
BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "en-GB,en;q=0.5",
    "Accept-Encoding": "gzip, deflate, br",
}
SCRIPT = {"User-Agent": "curl/8.18.0", "Accept": "application/json"}


def train(program: Path, environment: dict[str, str], rounds: int = ROUNDS) -> None:
    """Runs the program on each runtime, with a log that is read and without, and ends it as a supervisor does."""
    with dashboard() as behind:
        for runtime, log in [("tokio", "info"), ("tokio", "error"), ("smol", "info")]:
            with serving(program, behind, runtime, environment | {"AUTHGATE_LOG": log}) as address:
                visit(address, rounds)


def visit(address: str, rounds: int) -> None:
    cookie = {"Cookie": f"theme=dark; {sign_in(address)}"}
    bearers = [{"Authorization": f"Bearer {token(json.dumps(claims()))}"} for claims in (plain_claims, many_claims)]
    forged = {"Authorization": bearers[0]["Authorization"][:-8] + "AAAAAAAA"}
    ours = {"Origin": f"http://{address}", "Sec-Fetch-Site": "same-origin"}
    for visitor in range(rounds):
        # Clients send the same token for as long as it holds; what it says is read when it is new.
        new = {"Authorization": f"Bearer {token(json.dumps(many_claims() | {'jti': str(visitor)}))}"}
        with closing(HTTPConnection(address, timeout=10)) as connection:
            for number in range(ON_ONE_CONNECTION):
                for bearer in bearers:
                    expect(200, connection, "GET", f"/api/queues?page={number}", SCRIPT | bearer)
                expect(200, connection, "GET", f"/queues/emails/jobs/{number}", BROWSER | cookie)
                expect(200, connection, "POST", "/queues/emails/retry", BROWSER | cookie | ours, b"job=7")
                expect(200, connection, "GET", "/static/css/app.css", BROWSER | cookie)
            expect(200, connection, "GET", "/api/queues", SCRIPT | new)
            expect(303, connection, "GET", "/queues", BROWSER)
            expect(401, connection, "GET", "/queues", BROWSER | {"HX-Request": "true"})
            expect(401, connection, "GET", "/api/queues", SCRIPT | forged)
            expect(200, connection, "GET", "/login", BROWSER)


def sign_in(address: str) -> str:
    form = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
    body = f"username=ada&password={PASSWORD}".encode()
    with closing(HTTPConnection(address, timeout=30)) as connection:
        fields = expect(303, connection, "POST", "/login", BROWSER | form, body)
    return fields["set-cookie"].split(";")[0]


def expect(
    status: int, connection: HTTPConnection, method: str, path: str, fields: dict[str, str], body: bytes | None = None
) -> dict[str, str]:
    connection.request(method, path, body, fields)
    answer = connection.getresponse()
    answer.read()
    assert answer.status == status, f"{method} {path}: {answer.status}"
    return {name.lower(): value for name, value in answer.getheaders()}


def plain_claims() -> dict[str, object]:
    return {"sub": "ada", "aud": AUDIENCE, "roles": ["operator", "oncall"], "exp": int(time.time()) + 3600}


def many_claims() -> dict[str, object]:
    """With what must be looked at closely: an escape, and a claim within a claim."""
    more = {"iss": "https://login.example/realms/dash", "name": 'Zoë "Z" Müller', "email": "zoe@dash.example"}
    return plain_claims() | more | {"aud": ["account", AUDIENCE], "realm_access": {"roles": ["operator"]}}


@contextmanager
def serving(program: Path, behind: str, runtime: str, environment: dict[str, str]) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="authgate-training-") as folder:
        users = f"{folder}/users.toml"
        add = [str(program), "user", "add", "--file", users, "--id", "ada", "--name", "Ada Lovelace"]
        subprocess.run(add, input=f"{PASSWORD}\n", text=True, check=True, stdout=DEVNULL, timeout=60)
        tokens = ["--audience", AUDIENCE, "--public-prefix", "/static", "--users-file", users]
        listen = ["--listen", "127.0.0.1:0", "--runtime", runtime, "--json"]
        command = [str(program), "serve", "--upstream", f"http://{behind}", *listen, *tokens]
        secrets = {"AUTHGATE_JWT_SECRET": SECRET, "AUTHGATE_SESSION_SECRET": SECRET}
        environment = os.environ | secrets | environment
        with subprocess.Popen(command, stdout=PIPE, stderr=DEVNULL, text=True, env=environment) as child:
            try:
                assert child.stdout is not None
                yield urlsplit(json.loads(child.stdout.readline())["url"]).netloc
            finally:
                # What was counted is written as it ends by itself.
                child.terminate()
                try:
                    child.wait(30)
                except subprocess.TimeoutExpired:
                    child.kill()
                    raise


@contextmanager
def dashboard() -> Iterator[str]:
    """What is behind the program: answers every request with a few bytes."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Small)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield "{}:{}".format(*server.server_address[:2])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Small(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Its two small writes would wait for each other.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        pass
