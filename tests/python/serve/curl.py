"""curl: with cookies as a person's browser has them, or without as a program's."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from serve.fronts import HOST, Front
from support.wire import Reply, parse_head


class Curl:
    """Somebody who speaks with a dashboard through curl, and keeps cookies as curl does."""

    def __init__(self, front: Front, folder: Path) -> None:
        self.front = front
        self.jar = folder / f"{len(list(folder.glob('*.jar')))}.jar"
        self.jar.touch()
        program = shutil.which("curl")
        assert program, "curl is missing: Debian has it in the package curl"
        self.program = program

    def __call__(self, method: str, target: str, *headers: tuple[str, str], data: str = "") -> Reply:
        """One request, and its answer; nothing is followed."""
        with tempfile.TemporaryDirectory() as folder:
            head, body = Path(folder, "head"), Path(folder, "body")
            given = [part for name, value in headers for part in ("--header", f"{name}: {value}")]
            how = ["--head"] if method == "HEAD" else ["--request", method, "--output", str(body)]
            sent = ["--data-raw", data] if data else []
            done = subprocess.run(
                [*self.options, *how, *given, *sent, "--dump-header", str(head), f"{self.front.origin}{target}"],
                capture_output=True, text=True, timeout=30,
            )  # fmt: skip
            assert done.returncode == 0, f"curl {method} {target}: {done.returncode} {done.stderr}"
            last = head.read_bytes().removesuffix(b"\r\n\r\n").rpartition(b"\r\n\r\n")[2]
            return Reply(*parse_fields(last), body.read_bytes() if body.exists() else b"")

    @property
    def options(self) -> list[str]:
        port = self.front.address[1]
        return [
            self.program, "--silent", "--show-error", "--http1.1", "--path-as-is", "--globoff", "--max-time", "20",
            "--resolve", f"{HOST}:{port}:127.0.0.1", "--cacert", str(self.front.certificate.chain),
            "--cookie", str(self.jar), "--cookie-jar", str(self.jar), "--noproxy", "*",
        ]  # fmt: skip

    def keep(self, name: str, value: str) -> None:
        """Puts a cookie into the jar."""
        with self.jar.open("a") as jar:
            jar.write(f"{HOST}\tFALSE\t/\tTRUE\t0\t{name}\t{value}\n")

    def page(self, target: str, *headers: tuple[str, str]) -> Reply:
        return self("GET", target, ("Accept", "text/html"), *headers)

    def post(self, target: str, *headers: tuple[str, str], data: str = "") -> Reply:
        """Posts as a page of the dashboard does."""
        return self("POST", target, ("Origin", self.front.origin), *headers, data=data)

    def sign_in(self, username: str = "ada", then: str = "/") -> Reply:
        return self.post(self.front.login, data=f"username={username}&password=enigma&next={then}")

    def sign_out(self) -> Reply:
        return self.post(self.front.logout)


def parse_fields(head: bytes) -> tuple[int, list[tuple[str, str]]]:
    reply = parse_head(head)
    return reply.status, reply.headers
