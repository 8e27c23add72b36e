#!/usr/bin/env python3
"""Checks each crate that is published by itself: without features, with each one alone, and with all of them.

Built with its neighbours, a crate gets what they ask of its dependencies, too, and what it forgot to ask for is not
missed. A warning is an error here: what only one feature needs must not lie idle without it.
"""

from __future__ import annotations

import json
import subprocess
import sys


def main() -> int:
    described = subprocess.run(
        ["cargo", "metadata", "--format-version=1", "--no-deps", "--locked"], check=True, stdout=subprocess.PIPE
    )
    packages = json.loads(described.stdout)["packages"]
    failed = [
        f"{package['name']} with {chosen or 'no features'}"
        for package in packages
        if package["publish"] != [] or package["name"] == "authgate-python"  # published as a wheel
        for chosen in sets_of(package["features"])
        if not is_sound(package["name"], chosen)
    ]
    print("failed:", *failed, sep="\n    ") if failed else print("every set of features is sound")
    return bool(failed)


def sets_of(features: dict[str, list[str]]) -> list[str]:
    """None, each one, and all if there is more than one; as cargo takes them."""
    names = sorted(features)
    return ["", *names, *([",".join(names)] if len(names) > 1 else [])]


def is_sound(package: str, chosen: str) -> bool:
    command = ["cargo", "clippy", "-q", "--locked", "-p", package, "--no-default-features", f"--features={chosen}"]
    print(*command, flush=True)
    return subprocess.run([*command, "--", "-D", "warnings"]).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
