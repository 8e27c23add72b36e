"""An authentication gate for web dashboards. Every decision is made natively; nothing here imports a web framework."""

from authgate._core import Endings, LoginForm, User, __version__
from authgate.access import Access, Throttle
from authgate.backends import AuthBackend
from authgate.errors import ConfigError, Unavailable
from authgate.events import Event
from authgate.middleware import AuthGateMiddleware
from authgate.passwords import SimpleUsernamePasswordBackend
from authgate.sessions import Sessions, SessionStore, SharedStore
from authgate.tokens import JWTAuthBackend, ShortSecretWarning

__all__ = [
    "Access",
    "AuthBackend",
    "AuthGateMiddleware",
    "ConfigError",
    "Endings",
    "Event",
    "JWTAuthBackend",
    "LoginForm",
    "SessionStore",
    "Sessions",
    "SharedStore",
    "ShortSecretWarning",
    "SimpleUsernamePasswordBackend",
    "Throttle",
    "Unavailable",
    "User",
    "__version__",
]
