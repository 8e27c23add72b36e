"""A program that runs uvicorn itself: `run_uvicorn.py port workers`."""

from __future__ import annotations

import sys

import uvicorn

if __name__ == "__main__":
    uvicorn.run("apps:asgi", host="127.0.0.1", port=int(sys.argv[1]), workers=int(sys.argv[2]))
