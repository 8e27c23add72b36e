"""Requests of every kind, at a steady rate, while something breaks; and a report of what became of them."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from support.program import Running
from support.wire import HungUp, Reply

# What a request became that has no answer.
NO_ANSWER = 0


@dataclass(frozen=True)
class Asked:
    """One request: when it began and ended (by the clock of `time.monotonic`), and what came of it."""

    kind: str
    began: float
    ended: float
    status: int
    gate: str = ""

    @property
    def waited(self) -> float:
        return self.ended - self.began


@dataclass
class Traffic:
    """Kinds of requests, each sent again and again to each of the gates."""

    gates: list[Running]
    every: float = 0.1
    asked: list[Asked] = field(default_factory=list)
    phases: list[tuple[str, float]] = field(default_factory=list)

    @contextmanager
    def flowing(self, kinds: dict[str, Callable[[Running], Reply]]) -> Iterator[Traffic]:
        """Sends all of them while the block runs."""
        over = threading.Event()
        senders = [
            threading.Thread(target=self.send, args=[kind, ask, gate, over], daemon=True)
            for kind, ask in kinds.items()
            for gate in self.gates
        ]
        for sender in senders:
            sender.start()
        try:
            yield self
        finally:
            over.set()
            for sender in senders:
                sender.join(15)
            assert not any(sender.is_alive() for sender in senders), "a request hangs"

    def send(self, kind: str, ask: Callable[[Running], Reply], gate: Running, over: threading.Event) -> None:
        while not over.wait(self.every):
            began = time.monotonic()
            try:
                status = ask(gate).status
            except (HungUp, OSError):
                status = NO_ANSWER
            except AssertionError as fault:  # it is still open after ten seconds
                assert "still open" in str(fault), fault
                status = NO_ANSWER
            self.asked.append(Asked(kind, began, time.monotonic(), status, gate.runtime))

    def phase(self, name: str, seconds: float) -> None:
        """From now on, and for a while, it is this phase."""
        self.phases.append((name, time.monotonic()))
        time.sleep(seconds)

    def of(self, kind: str, phase: str = "", after: float = 0.0, before: float = 0.0) -> list[Asked]:
        """The requests of a kind that began in a phase, `after` so many seconds of it, and ended `before` so many that it lasted on."""
        start, end = self.span(phase)
        return [a for a in list(self.asked) if a.kind == kind and a.began >= start + after and a.ended <= end - before]

    def span(self, phase: str) -> tuple[float, float]:
        if not phase:
            return 0.0, float("inf")
        index = [name for name, _ in self.phases].index(phase)
        end = self.phases[index + 1][1] if index + 1 < len(self.phases) else float("inf")
        return self.phases[index][1], end

    def statuses(self, kind: str, phase: str = "", after: float = 0.0, before: float = 0.0) -> set[int]:
        return {asked.status for asked in self.of(kind, phase, after, before)}

    def longest(self, kind: str, phase: str = "") -> float:
        start, end = self.span(phase)
        return max((a.waited for a in list(self.asked) if a.kind == kind and start <= a.began < end), default=0.0)

    def recovered(self, kind: str, status: int, phase: str) -> dict[str, float]:
        """How long after the beginning of a phase each gate first answered like that, and then never otherwise."""
        start, end = self.span(phase)
        took: dict[str, float] = {}
        for gate in {gate.runtime for gate in self.gates}:
            asked = sorted(
                (a for a in self.asked if a.kind == kind and a.gate == gate and start <= a.began < end),
                key=lambda a: a.ended,
            )
            bad = [a.ended for a in asked if a.status != status]
            good = [a.ended for a in asked if a.status == status and a.ended > max(bad, default=0.0)]
            took[gate] = good[0] - start if good else float("inf")
        return took

    def report(self, title: str) -> str:
        """A table: what each kind of request was answered in each phase, and the longest wait."""
        lines = [f"\n{title}", f"{'phase':<22} {'request':<18} {'answers':<44} longest"]
        for phase, _ in self.phases:
            start, end = self.span(phase)
            for kind in sorted({asked.kind for asked in self.asked}):
                of = [a for a in self.asked if a.kind == kind and start <= a.began < end]
                if not of:
                    continue
                counts = Counter(a.status for a in of)
                told = ", ".join(f"{status or 'none'} ×{count}" for status, count in sorted(counts.items()))
                lines.append(f"{phase:<22} {kind:<18} {told:<44} {max(a.waited for a in of):.2f} s")
        return "\n".join(lines)
