"""Where the header fields of a request are, whatever framework it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

# Lists of one name's values: Starlette and Werkzeug, the standard library and Lilya, aiohttp.
_LISTS = ("getlist", "get_all", "getall")


def header_fields(request: Any, name: str) -> Iterable[Any]:
    """Pairs of name and value, among them every field called `name`.

    `request` is an ASGI scope, a WSGI environ, or an object with `scope` or `headers`. Anything else is a
    `TypeError`.
    """
    scope = getattr(request, "scope", request)
    # A dict nearly always, and then there is no need to ask the abstract class, which takes its time.
    if isinstance(scope, (dict, Mapping)):
        if "headers" in scope:
            return _asgi_fields(scope)
        if "REQUEST_METHOD" in scope:
            return _wsgi_fields(scope, name)
        if "type" in scope:
            return ()
    headers = getattr(request, "headers", None)
    if headers is None:
        kind = type(request).__name__
        raise TypeError(f"request: a request, an ASGI scope or a WSGI environ is wanted, not {kind}")
    return _fields_of(headers, name)


def _asgi_fields(scope: Mapping[str, Any]) -> Iterable[Any]:
    fields: Iterable[Any] = scope["headers"]
    if not isinstance(fields, (list, tuple)):
        # ASGI allows any iterable, even one that can be read once only; the application reads it, too.
        fields = list(fields)
        if isinstance(scope, MutableMapping):
            scope["headers"] = fields
    return fields


def _wsgi_fields(environ: Mapping[str, Any], name: str) -> Iterable[Any]:
    key = name.upper().replace("-", "_")
    if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        key = f"HTTP_{key}"
    return ((name, environ[key]),) if key in environ else ()


def _fields_of(headers: Any, name: str) -> Iterable[Any]:
    for method in _LISTS:
        values = getattr(headers, method, None)
        if callable(values):
            try:
                return [(name, value) for value in values(name) or ()]
            except KeyError:
                return ()
    items = getattr(headers, "items", None)
    fields: Iterable[Any] = items() if callable(items) else headers
    return fields
