"""nginx, Caddy and Traefik in front of a gate, configured as the operators' page says."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from serve.certificate import Certificate
from serve.dashboards import BIN, Dashboard
from serve.operators import block, flags, replaced, section
from support.checks import until
from support.needed import found
from support.process import free_address, process
from support.program import Site, serving
from support.wire import Address, authority

HOST = "dash.example"


@dataclass(frozen=True)
class Front:
    """A dashboard as the world sees it: https://dash.example:PORT, of which nothing but the address is ours."""

    name: str
    address: Address
    site: Site
    certificate: Certificate

    @property
    def authority(self) -> str:
        return f"{HOST}:{self.address[1]}"

    @property
    def origin(self) -> str:
        return f"https://{self.authority}"

    def is_ready(self) -> bool:
        """Whether it has read its configuration: some answer before that, with a certificate of their own."""
        connection = http.client.HTTPSConnection(HOST, self.address[1], context=self.certificate.context(), timeout=5)
        try:
            raw = socket.create_connection(self.address, timeout=5)
            connection.sock = self.certificate.context().wrap_socket(raw, server_hostname=HOST)
            connection.request("GET", self.login, headers={"Host": self.authority})
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    @property
    def login(self) -> str:
        return "/login" if self.name == "nginx as a proxy" else "/authgate/login"

    @property
    def logout(self) -> str:
        return self.login.replace("login", "logout")


@dataclass(frozen=True)
class Place:
    """Where everything is that a configuration names."""

    front: Address
    gate: Address
    dashboard: Address
    certificate: Certificate
    folder: Path

    @property
    def names(self) -> dict[str, str]:
        """What the page calls them, and what they are here."""
        return {
            "/etc/ssl/dash.example.pem": str(self.certificate.chain),
            "/etc/ssl/dash.example.key": str(self.certificate.key),
            "127.0.0.1:8080": authority(self.gate),
        }

    @property
    def behind(self) -> dict[str, str]:
        return {"127.0.0.1:5555": authority(self.dashboard)}


def nginx(text: str, place: Place) -> AbstractContextManager[object]:
    server = found("nginx")
    told = block(text, "nginx")
    changes = {"listen 443 ssl": f"listen {authority(place.front)} ssl", **place.names}
    if "auth_request" in told:
        changes |= place.behind
    file = place.folder / "nginx.conf"
    file.write_text(replaced(told, changes))
    ours = f"daemon off; pid {place.folder}/nginx.pid; error_log stderr info;"
    return process(server, "-p", place.folder, "-c", file, "-g", ours, address=place.front)


def caddy(text: str, place: Place) -> AbstractContextManager[object]:
    tls = f"{HOST}:{place.front[1]} {{\n\ttls {place.certificate.chain} {place.certificate.key}"
    changes = {f"{HOST} {{": tls, "127.0.0.1:8080": authority(place.gate), **place.behind}
    file = place.folder / "Caddyfile"
    # Without the ports and files that Caddy takes by itself.
    ours = "{\n\tadmin off\n\tauto_https disable_redirects\n\tdefault_bind 127.0.0.1\n}\n"
    file.write_text(ours + replaced(block(text, "caddyfile"), changes))
    home = {"XDG_DATA_HOME": str(place.folder), "XDG_CONFIG_HOME": str(place.folder), "HOME": str(place.folder)}
    return process(BIN / "caddy", "run", "--adapter", "caddyfile", "--config", file, address=place.front, **home)


def traefik(text: str, place: Place) -> AbstractContextManager[object]:
    dynamic = place.folder / "dash.yaml"
    changes = place.names | place.behind
    dynamic.write_text(replaced(block(text, "yaml", "# dash.yaml"), changes))
    static = place.folder / "traefik.yaml"
    listening = {'":443"': f'"{authority(place.front)}"', "/etc/traefik/dash.yaml": str(dynamic)}
    static.write_text(replaced(block(text, "yaml", "# traefik.yaml"), listening))
    return process(BIN / "traefik", f"--configfile={static}", address=place.front)


FRONTS: dict[str, Callable[[str, Place], AbstractContextManager[object]]] = {
    "nginx as a proxy": nginx,
    "nginx with auth_request": nginx,
    "Caddy": caddy,
    "Traefik": traefik,
}


@contextmanager
def front(
    name: str,
    runtime: str,
    dashboard: Dashboard,
    users: Path,
    certificate: Certificate,
    folder: Path,
    *more: str | Path,
    secret: str | None = None,
) -> Iterator[Front]:
    """The gate and the proxy of one section of the page, in front of a dashboard; the gate with some flags more."""
    text = section(name)
    changes = {"users.toml": str(users)}
    if "--upstream" in flags(text):
        changes["http://127.0.0.1:5555"] = dashboard.url
    given = [changes.pop(flag, flag) for flag in flags(text)]
    assert not changes, f"not among the flags: {changes}"
    with serving(runtime, *given, *more, secret=secret) as site:
        place = Place(free_address(), site.address, dashboard.address, certificate, folder)
        with FRONTS[name](text, place):
            started = Front(name, place.front, site, certificate)
            until(started.is_ready, f"{name} shows the login page")
            yield started
            # Before the proxy goes, not only before the gate does.
            for leave in site.before_end:
                leave()
