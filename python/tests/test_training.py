"""What a release is trained with runs, and is answered as it expects."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TRAINING = Path(__file__).parents[1] / "benches" / "training.py"


def test_the_training_of_a_release_is_answered_as_it_expects() -> None:
    subprocess.run([sys.executable, str(TRAINING)], check=True, timeout=120)
