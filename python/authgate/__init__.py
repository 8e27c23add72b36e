"""An authentication gate for web dashboards. Every decision is made natively; nothing here imports a web framework."""

from authgate._core import User
from authgate.errors import ConfigError

__all__ = ["ConfigError", "User"]
