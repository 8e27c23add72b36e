"""Every page of the gate in light and dark, on a telephone, enlarged, and for somebody who wants no motion."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from browser.conftest import OpenWindow, TakePicture
from browser.looks import assert_contrast, assert_focus_shows, assert_readable
from support.program import Demo

SIZES: dict[str, dict[str, Any]] = {
    "wide": {"viewport": {"width": 1280, "height": 800}},
    "narrow": {"viewport": {"width": 320, "height": 640}},
    # 200 % of the browser's zoom: half as many pixels, each twice as large.
    "zoomed": {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2},
}


# Colours do not depend on the size, so two pairs are left out.
@pytest.mark.parametrize(
    ("scheme", "size"), [("light", "wide"), ("dark", "wide"), ("dark", "narrow"), ("light", "zoomed")]
)
def test_every_page_is_readable(
    open_window: OpenWindow, guarded_demo: Demo, take_picture: TakePicture, scheme: str, size: str
) -> None:
    window = open_window(guarded_demo, color_scheme=scheme, reduced_motion="reduce", **SIZES[size])
    page = window.tab("/ops/queues?page=2")
    expect(page).to_have_title("Sign in · Job queues")
    assert_focus_shows(page)
    assert_readable(page)
    take_picture(page, f"login-{scheme}-{size}")

    window.sign_in(page, "bob", "not this one")
    expect(page.get_by_role("alert")).to_be_focused()
    assert_focus_shows(page)
    assert_readable(page)
    take_picture(page, f"error-{scheme}-{size}")

    window.sign_in(page, "bob", "enigma")
    expect(page).to_have_title("Not allowed · Job queues")
    assert_readable(page)
    take_picture(page, f"not-allowed-{scheme}-{size}")

    page.get_by_role("link", name="Sign in as somebody else").click()
    expect(page).to_have_title("Sign out · Job queues")
    assert_readable(page)
    take_picture(page, f"logout-{scheme}-{size}")

    page.goto("/elsewhere")
    expect(page).to_have_title("Nothing here · Job queues")
    assert_readable(page)
    take_picture(page, f"nothing-here-{scheme}-{size}")


def test_with_colours_of_their_own_people_still_see_the_edges(open_window: OpenWindow, guarded_demo: Demo) -> None:
    window = open_window(guarded_demo, forced_colors="active")
    page = window.tab("/ops/login")
    assert_contrast(page)
    assert_focus_shows(page)
