"""Who knows the users."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, runtime_checkable

from authgate._core import User

Found = User | Any | None
Verify = Callable[[str, str], "Found | Awaitable[Found]"]
LookUp = Callable[[str], "Found | Awaitable[Found]"]


@runtime_checkable
class AuthBackend(Protocol):
    """A way to prove who asks, and pages to sign in and out.

    Each method but `routes` may be `async def`. Under ASGI one that is `def` runs on the event loop, so it must not block.
    """

    def authenticate(self, request: Any, /) -> Any:
        """Who asks, or `None`. Called for every request that is not public."""

    def login(self, request: Any, /) -> Any:
        """The response of the login path."""

    def logout(self, request: Any, /) -> Any:
        """The response of the logout path."""

    def routes(self) -> Sequence[Any]:
        """Extra public paths that the backend answers itself: pairs of a path and an endpoint, or a framework's routes."""
