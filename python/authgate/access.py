"""Who may pass, and how often a password may be wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


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

    @classmethod
    def admins(cls, *, or_roles: Iterable[str] = ()) -> Access:
        """Administrators, and users with one of `or_roles`."""
        return cls(admins_only=True, admin_roles=tuple(or_roles))

    @classmethod
    def role(cls, *names: str) -> Access:
        """Users with at least one of these roles."""
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
