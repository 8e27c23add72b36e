"""`authgate serve` in front of a small server, beside nginx, which asks an axum server about each token; size and start."""

from __future__ import annotations

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from releases.program import build_program

from .fresh import compiler, hash_of, sources, stamped
from .layers import PROGRAM as LOAD
from .load import CLIENT, in_rounds, running
from .rows import TARGET, Row, cargo, median, of_rounds

PROGRAM = TARGET / "bench-program" / "authgate"
STARTS = 20

# As `core/benches/decisions/presented.rs` signs.
SECRET = "a secret of sixty-four bytes that is known to the benches only.."
ASKED = ["--audience", "dashboard", "--issuer", "https://issuer.example"]

NGINX = """\
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream dashboard {{ server {dashboard}; keepalive 64; }}
    upstream check {{ server {check}; keepalive 64; }}
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    server {{
        listen 127.0.0.1:{port};
        keepalive_requests 1000000;
        location / {{
            auth_request /check;
            proxy_pass http://dashboard;
        }}
        location = /check {{
            internal;
            proxy_pass http://check;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
        }}
    }}
}}
"""


def build() -> None:
    with stamped(PROGRAM.with_suffix(".sha256"), hash_of(sources(), compiler())) as is_new:
        if is_new or not PROGRAM.exists():
            build_program(TARGET / "trained", PROGRAM)
    cargo("build", "-q", "--release", "--locked", "-p", "authgate-tests", "--example", "load")


def measure(rounds: int) -> list[Row]:
    megabytes = PROGRAM.stat().st_size / 1e6
    return [
        *proxying(rounds),
        Row("authgate, the program's size, MB", megabytes),
        Row("authgate serve, from its start to the first answer, ms", start_up(), "<= 50"),
    ]


def proxying(rounds: int) -> list[Row]:
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        sys.exit("tests/bench: nginx is missing (Debian has it in the package nginx-light)")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="authgate-bench-")))
        # The server behind is on the processor of the load: what is compared has its own to itself.
        behind = stack.enter_context(running([str(LOAD), "ungated"], CLIENT, stdout=subprocess.PIPE))
        check = stack.enter_context(running([str(LOAD), "floor"], stdout=subprocess.PIPE))
        assert behind.stdout is not None and check.stdout is not None
        dashboard, token = behind.stdout.readline().split()
        gate = stack.enter_context(serving(dashboard))
        port = free_port()
        settings = folder / "nginx.conf"
        checked = check.stdout.readline().split()[0]
        settings.write_text(NGINX.format(folder=folder, dashboard=dashboard, check=checked, port=port))
        stack.enter_context(running([nginx, "-p", str(folder), "-c", str(settings)]))
        urls = {"authgate": f"{address(gate)}/queues", "nginx": f"http://127.0.0.1:{port}/queues"}
        figures = in_rounds({name: (url, token) for name, url in urls.items()}, rounds)
    return [
        Row(
            "authgate serve / nginx with auth_request, requests a second",
            of_rounds(figures, "authgate", "nginx"),
            ">= 1.0",
            f"{median(figures, 'authgate'):,.0f} / {median(figures, 'nginx'):,.0f}",
        )
    ]


def serving(dashboard: str) -> AbstractContextManager[subprocess.Popen[str]]:
    command = [str(PROGRAM), "serve", "--upstream", f"http://{dashboard}", "--listen", "127.0.0.1:0", "--json", *ASKED]
    quiet = os.environ | {"AUTHGATE_JWT_SECRET": SECRET, "AUTHGATE_LOG": "error"}
    return running(command, stdout=subprocess.PIPE, env=quiet)


def address(gate: subprocess.Popen[str]) -> str:
    assert gate.stdout is not None
    url: str = json.loads(gate.stdout.readline())["url"]
    return url.rstrip("/")


def start_up() -> float:
    """Milliseconds until it answers, the median."""
    took = []
    for _ in range(STARTS):
        start = time.perf_counter()
        with serving("127.0.0.1:9") as gate:
            host, port = address(gate).removeprefix("http://").split(":")
            with socket.create_connection((host, int(port))) as connection:
                connection.sendall(b"GET /login HTTP/1.1\r\nhost: a\r\n\r\n")
                if not connection.recv(64).startswith(b"HTTP/1.1 "):
                    sys.exit("tests/bench: authgate serve does not answer")
            took.append((time.perf_counter() - start) * 1e3)
    return statistics.median(took)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port
