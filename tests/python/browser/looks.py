"""What makes a page readable: contrast, width, focus, and what axe finds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

TEXT, EDGE = 4.5, 3.0  # WCAG 2.2 AA: 1.4.3 and 1.4.11

SCRIPT = Path(__file__).with_suffix(".js").read_text()


def measure(page: Page, what: str) -> Any:
    return page.evaluate(f"() => {{ {SCRIPT} return {what}(); }}")


@dataclass(frozen=True)
class Ring:
    """What surrounds the element that has the focus."""

    of: str
    style: str
    width: float
    contrast: float


def focus_ring(page: Page) -> Ring:
    return Ring(*measure(page, "ring"))


def assert_focus_shows(page: Page) -> None:
    """Somebody who cannot point sees where they are (WCAG 2.4.7, 2.4.13)."""
    ring = focus_ring(page)
    assert ring.style == "solid" and ring.width >= 2 and ring.contrast >= EDGE, ring


def assert_contrast(page: Page) -> None:
    found = measure(page, "contrasts")
    assert found, "nothing to read"
    faint = [one for one in found if one[2] < (TEXT if one[0] == "text" else EDGE)]
    assert not faint, faint


def assert_fits(page: Page) -> None:
    """Nobody has to scroll sideways (WCAG 1.4.10)."""
    wide, there = page.evaluate("() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide <= there, f"{wide} px wide on {there} px"
    cut = measure(page, "cut")  # what hides its overflow does not widen the page
    assert not cut, cut


def assert_calm(page: Page) -> None:
    """Nothing moves, whether or not somebody has asked for that."""
    assert page.evaluate("() => document.getAnimations().length") == 0


def assert_accessible(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def assert_readable(page: Page) -> None:
    expect(page.locator("h1")).to_have_count(1)
    assert_contrast(page)
    assert_fits(page)
    assert_calm(page)
    assert_accessible(page)
