"""How long a signed-in person waits for a page while others sign in, on both runtimes.

Hashing a password takes a processor and 19 MiB for tens of milliseconds. This prints what that does to everybody else:
the median, the 99th percentile and the worst of page requests, alone and with logins in flight all the time. A ratio
below one is no mistake: a processor that is kept awake answers sooner than one that has to be woken for each request.

    tests/run --only build,python   # once: the program, and the Python environment
    target/venv/bin/python adapters/server/benches/logins_in_flight.py

It measures and asserts nothing about time. Let nothing else run meanwhile.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tests" / "python"))

from support.people import Crowd, Person  # noqa: E402
from support.program import Demo, running  # noqa: E402
from support.wire import Address, authority, head_of, parse_head, parse_replies, talk  # noqa: E402

PAGE = "/ops/queues"
WARM_UP = 100  # requests that do not count


@dataclass
class Figures:
    """Milliseconds."""

    p50: float
    p99: float
    worst: float
    requests: int

    @classmethod
    def of(cls, seconds: list[float]) -> Figures:
        percentiles = statistics.quantiles(seconds, n=100)
        return cls(percentiles[49] * 1000, percentiles[98] * 1000, max(seconds) * 1000, len(seconds))


def pages(person: Person, seconds: float) -> Figures:
    """Asks for a page again and again on one connection, and takes the time of each request."""
    headers = [("Host", authority(person.demo.address)), *person.cookies()]
    request = head_of("GET", PAGE, headers)
    took = []
    with socket.create_connection(person.demo.address, timeout=20) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        end = time.perf_counter() + seconds
        while (start := time.perf_counter()) < end:
            connection.sendall(request)
            read_page(connection)
            took.append(time.perf_counter() - start)
    return Figures.of(took[WARM_UP:])


def read_page(connection: socket.socket) -> None:
    received = b""
    while b"\r\n\r\n" not in received:
        received += more(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    reply = parse_head(head)
    if reply.status != 200:
        raise SystemExit(f"a page was answered {reply.status}; is the session gone?")
    length = int(reply.header("Content-Length") or 0)
    while len(body) < length:
        body += more(connection)


def more(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise SystemExit("the server closed a connection that was in use")
    return data


def sign_in_until(over: Event, address: Address, logins: list[tuple[bytes, str]], done: Any, failed: Any) -> None:
    """The work of a process of its own, so that it does not slow the clock of the one that measures."""

    def again_and_again(payload: bytes, source: str) -> None:
        while not over.is_set():
            try:
                (reply,) = parse_replies(talk(address, payload, source=source))
                counter = done if reply.status == 303 else failed
            except (AssertionError, OSError):
                counter = failed
            with counter.get_lock():
                counter.value += 1

    threads = [threading.Thread(target=again_and_again, args=login) for login in logins]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@contextmanager
def logins_in_flight(people: list[Person]) -> Iterator[tuple[Any, Any]]:
    """Keeps one login of each person in flight; gives how many succeeded and how many did not."""
    over, done, failed = multiprocessing.Event(), multiprocessing.Value("L"), multiprocessing.Value("L")
    logins = [(person.attempt(person.password), person.source) for person in people]
    arguments = (over, people[0].demo.address, logins, done, failed)
    process = multiprocessing.Process(target=sign_in_until, args=arguments, daemon=True)
    process.start()
    try:
        while process.is_alive() and not done.value:  # until they are under way
            time.sleep(0.01)
        yield done, failed
    finally:
        over.set()
        process.join(30)


def measure(demo: Demo, crowd: Crowd, logins: int, seconds: float) -> tuple[Figures, Figures, float, int]:
    reader, *others = [Person(demo, id, crowd.password, f"127.0.9.{n + 1}") for n, id in enumerate(crowd.ids)]
    reader.sign_in()
    alone = pages(reader, seconds)
    with logins_in_flight(others[:logins]) as (done, failed):
        before, start = done.value, time.perf_counter()
        together = pages(reader, seconds)
        rate = (done.value - before) / (time.perf_counter() - start)
    return alone, together, rate, failed.value


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5, help="how long each of the four parts takes (default: 5)")
    parser.add_argument("--logins", type=int, default=8, help="logins in flight (default: 8)")
    options = parser.parse_args()
    print(f"milliseconds for a page, {options.logins} logins in flight, {os.cpu_count()} processors\n")
    print(f"{'':12}{'alone':>10}{'with logins':>14}{'ratio':>8}")
    failures = 0
    for runtime in ("tokio", "smol"):
        with tempfile.TemporaryDirectory() as folder:
            crowd = Crowd(Path(folder) / "users.toml", size=options.logins + 1)
            with running(runtime, "--users-file", crowd.path, log="info") as demo:
                alone, together, rate, failed = measure(demo, crowd, options.logins, options.seconds)
        for name in ("p50", "p99", "worst"):
            one, other = getattr(alone, name), getattr(together, name)
            print(f"{runtime + ' ' + name:12}{one:10.2f}{other:14.2f}{other / one:8.1f}")
        print(f"{'requests':12}{alone.requests:10}{together.requests:14}")
        print(f"{'logins':12}{rate:22.0f} a second, {failed} failed\n", flush=True)
        failures += failed
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
