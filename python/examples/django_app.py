"""A Django dashboard behind the gate: people sign in, scripts send a token. Here all of it is in one file.

Run it: SECRET=$(openssl rand -hex 32) waitress-serve --listen=127.0.0.1:8000 django_app:application
"""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

from authgate import JWTAuthBackend, Sessions, SimpleUsernamePasswordBackend, User
from authgate.wsgi import AuthGate

secret = os.environ["SECRET"]
settings.configure(
    ROOT_URLCONF=__name__, SECRET_KEY=f"django {secret}", ALLOWED_HOSTS=["127.0.0.1", "localhost"]
)


def verify(username: str, password: str) -> User | None:
    """Ask your user store here: `django.contrib.auth.authenticate` gives a user that will do."""
    known = (username, password) == ("ada", os.environ.get("PASSWORD", "change me"))
    return User("ada", "Ada Lovelace") if known else None


def home(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"Hello {request.environ['authgate.user'].name}")


urlpatterns = [path("", home)]
application = AuthGate(
    get_wsgi_application(),
    backend=[SimpleUsernamePasswordBackend(verify), JWTAuthBackend(secret=secret)],
    # One secret, two uses: a key that signs tokens must not open sessions.
    session=Sessions.sealed(f"sessions {secret}"),
)
