"""Who may pass, and how often a password may be wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from authgate._checks import seconds, texts
from authgate.errors import ConfigError


@dataclass(frozen=True)
class Access:
    """What a user must be, beyond being signed in.

    `Access()` asks for nothing more. Administrators are users whose `is_admin` is true.
    """

    admins_only: bool = False
    any_role: tuple[str, ...] | None = None
    """At least one of these roles; `None` asks for none."""
    admin_roles: tuple[str, ...] = ()
    """Roles that make an administrator."""

    def __post_init__(self) -> None:
        for name in ("any_role", "admin_roles"):
            given = getattr(self, name)
            if given is not None:
                object.__setattr__(self, name, tuple(texts(f"access: {name}", given)))
        if self.admin_roles and not self.admins_only:
            raise ConfigError("access", "access: admin_roles open nothing that is open to all; give Access.admins(or_roles=…)")

    @classmethod
    def admins(cls, *, or_roles: Iterable[str] = ()) -> Access:
        """Administrators, and users with one of `or_roles`."""
        return cls(admins_only=True, admin_roles=or_roles)  # type: ignore[arg-type]

    @classmethod
    def role(cls, *names: str) -> Access:
        """Users with at least one of these roles."""
        if not names:
            raise ConfigError("access", "access: no role is named; name at least one, or give Access()")
        return cls(any_role=names)


@dataclass(frozen=True)
class Throttle:
    """How many wrong passwords are too many, and what that costs.

    A client network (a /32 of IPv4, a /64 of IPv6) and a user have a count of their own each.
    """

    tries: int = 10
    """How many tries are free before delays begin; 1 to 1000."""
    first_delay: float = 1.0
    """The delay after the last free try, in seconds. It doubles with every failure from there."""
    longest_delay: float = 900.0
    """The longest delay, and how long it takes one failure to be forgotten, in seconds; a day at most."""
    entries: int = 100_000
    """The most networks, and the most users, to keep count of; 400 bytes each at most."""
    remember: float = 7 * 86_400.0
    """For how long a network that signed in as a user keeps a count of its own for that user, in seconds."""

    def __post_init__(self) -> None:
        for name in ("first_delay", "longest_delay", "remember"):
            seconds(f"throttle: {name}", getattr(self, name))
        for name in ("tries", "entries"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int):
                raise TypeError(f"throttle: {name}: a {type(value).__name__} is no whole number")
