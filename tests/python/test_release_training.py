"""What a published program is trained with runs, and is answered as it expects."""

from __future__ import annotations

from releases.visits import train
from support.program import PROGRAM


def test_the_training_of_a_release_is_answered_as_it_expects() -> None:
    train(PROGRAM, {}, rounds=1)
