"""What authgate raises."""

from __future__ import annotations


class Unavailable(RuntimeError):
    """Somebody could not be asked or told in time: a store that is shared, a provider of keys. Nobody was let in because of it."""


class ConfigError(ValueError):
    """A setting that is refused at construction: what it is, what is wrong with it, and the remedy.

    `argument` is the name of the keyword argument.
    """

    def __init__(self, argument: str, text: str) -> None:
        super().__init__(argument, text)
        self.argument = argument
        self.text = text

    def __str__(self) -> str:
        return self.text
