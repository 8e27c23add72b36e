"""The operators' page: its configurations are run as they stand there, but for names and addresses."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from support.program import ROOT

PAGE = ROOT / "adapters" / "server" / "README.md"


def section(title: str) -> str:
    """What stands below a heading, up to the next one."""
    found = re.search(rf"^### {re.escape(title)}\n(.*?)(?=^##|\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert found, f"{PAGE.name} has no section {title!r}"
    return found[1]


def block(text: str, language: str, first: str = "") -> str:
    """The only block of a language in a text, or the only one whose first line begins so."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    wanted = [block for block in blocks if block.startswith(first)]
    assert len(wanted) == 1, f"{len(wanted)} blocks of {language} that begin with {first!r}"
    return str(wanted[0])


def flags(text: str) -> list[str]:
    """The flags of the one `authgate serve` of a section."""
    command = shlex.split(block(text, "sh", "authgate serve ").replace("\\\n", " "))
    assert command[:2] == ["authgate", "serve"]
    return command[2:]


def replaced(text: str, changes: dict[str, str]) -> str:
    """The text with other names and addresses; what is not there cannot be replaced, and is a fault."""
    for old, new in changes.items():
        assert old in text, f"{old!r} is not in {text}"
        text = text.replace(old, new)
    return text


def reference() -> str:
    """The file that names every key."""
    return block(PAGE.read_text(), "toml", "# authgate.toml")
