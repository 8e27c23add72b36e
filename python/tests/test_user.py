"""`User`, as AsyncMQ's, and readable as a dict."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from collections.abc import Mapping
from typing import Any

import pytest
from asyncmq.contrib.dashboard.admin.protocols import User as Theirs

from authgate import User


class Employee(User):
    """Made from other arguments than ours."""

    def __init__(self, number: int, name: str) -> None:
        super().__init__(number, name, is_admin=False, roles=["staff"], number=number)
        self.desk = "a1"


@pytest.mark.parametrize(
    ("arguments", "keywords"),
    [
        (("ada", "Ada"), {}),
        ((7, "Ada"), {"is_admin": False}),
        (("ada", "Ada", True, ["ops", "", None, 7]), {}),
        (("ada", "Ada"), {"roles": "ops"}),
        (("ada", "Ada"), {"roles": {"ops": True}}),
        (("ada", "Ada"), {"roles": (role for role in ["a", "b"])}),
        (("ada", "Ada"), {"email": "a@b", "claims": {"x": 1}}),
        ((), {"id": "ada", "name": "Ada"}),
    ],
)
def test_it_is_made_as_asyncmqs_is(arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    again = keywords | (
        {"roles": ["a", "b"]} if not isinstance(keywords.get("roles", []), (str, list, dict)) else {}
    )
    ours, theirs = User(*arguments, **keywords), Theirs(*arguments, **again)
    for name in ("id", "name", "is_admin", "roles", "extra"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert ours["id"] == ours.id and ours.get("nothing") is None and "nothing" not in ours
    with pytest.raises(KeyError):
        ours["nothing"]
    assert not isinstance(ours, Mapping)


@pytest.mark.parametrize("user", [User("ada", "Ada", roles=["ops"], email="a@b"), Employee(7, "Ada")])
def test_copies_and_pickles_are_equal(user: User) -> None:
    for twin in (copy.copy(user), copy.deepcopy(user), pickle.loads(pickle.dumps(user))):
        assert twin == user and hash(twin) == hash(user) and type(twin) is type(user)
        assert twin.extra == user.extra


def test_users_differ_by_any_field() -> None:
    user = User("ada", "Ada", roles=["ops"], email="a")
    others = [
        User("eve", "Ada", roles=["ops"], email="a"),
        User("ada", "Eve", roles=["ops"], email="a"),
        User("ada", "Ada", False, roles=["ops"], email="a"),
        User("ada", "Ada", roles=[], email="a"),
        User("ada", "Ada", roles=["ops"], email="b"),
    ]
    assert all(user != other for other in others) and user == User("ada", "Ada", roles="ops", email="a")
    assert user != {"id": "ada"} and user != "ada"


def test_a_user_is_fixed_and_made_once() -> None:
    user = User("ada", "Ada")
    for name in ("id", "name", "is_admin", "roles", "extra"):
        with pytest.raises(AttributeError):
            setattr(user, name, "x")
    with pytest.raises(TypeError):
        user.__init__("eve", "Eve")  # type: ignore[misc]
    with pytest.raises(TypeError):
        User("ada")  # type: ignore[call-arg]


def test_its_repr_has_no_extras() -> None:
    assert repr(User("ada", "Ada", email="a@b")) == "User(id='ada', name='Ada', is_admin=True, roles=())"
    assert repr(Employee(7, "Ada")).startswith("Employee(id=7")


def test_it_can_be_referred_to_weakly_and_goes_away() -> None:
    user = User("ada", "Ada")
    seen = weakref.ref(user)
    del user
    gc.collect()
    assert seen() is None
