"""gunicorn with `--preload`: the process that the workers are forked from has asked the store already."""

from __future__ import annotations

from apps import wsgi

from world import sign_in

assert sign_in(wsgi).status == 303

__all__ = ["wsgi"]
