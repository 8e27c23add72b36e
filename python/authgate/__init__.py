"""An authentication gate for web dashboards. Every decision is made natively; nothing here imports a web framework."""

from authgate._core import LoginForm, User, __version__
from authgate.access import Access, Throttle
from authgate.backends import AuthBackend
from authgate.errors import ConfigError
from authgate.events import Event
from authgate.middleware import AuthGateMiddleware
from authgate.passwords import SimpleUsernamePasswordBackend
from authgate.sessions import Sessions, SessionStore
from authgate.tokens import JWTAuthBackend, ShortSecretWarning

__all__ = [
    "Access",
    "AuthBackend",
    "AuthGateMiddleware",
    "ConfigError",
    "Event",
    "JWTAuthBackend",
    "LoginForm",
    "SessionStore",
    "Sessions",
    "ShortSecretWarning",
    "SimpleUsernamePasswordBackend",
    "Throttle",
    "User",
    "__version__",
]
