"""Login and logout of the token backend under a host's own middleware, such as AsyncMQ's."""

from __future__ import annotations

from typing import Any

from authgate._core import Gate


class TokenPages:
    """The two pages of a backend without sessions. Its gate is made when a page is first asked for."""

    _pages: Gate

    async def login(self, request: Any) -> Any:
        """A page that says where tokens go; they are issued elsewhere."""
        return self._page(request, "/login")

    async def logout(self, request: Any) -> Any:
        """There is nothing to forget: leads to the login page below the mount."""
        return self._page(request, "/logout")

    def _page(self, request: Any, path: str) -> Any:
        from authgate import _hosted

        gate = self.__dict__.get("_pages")
        if gate is None:
            # Of two threads that come first, one's gate is kept; they are alike.
            gate = self.__dict__.setdefault("_pages", _hosted.gate_of(self, ()))
        return _hosted.answer_at(gate, request, path)
