"""The keys under `console`: where the browser's side and the API for colleagues listen."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from orchestrator.domain.listener import DEFAULT_HOST, DEFAULT_PORT, Listener, Network, is_loopback
from orchestrator.settings.base import Keys

OFF = "off"


def split_address(text: str) -> tuple[str, int]:
    """`127.0.0.1:8410` or `[::1]:8410` as address and port. Raises `ValueError`."""
    host, colon, port = text.strip().rpartition(":")
    host = "127.0.0.1" if host == "localhost" else host
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        msg = f"{text!r} must be an address with a port, as 127.0.0.1:8410, or off"
        raise ValueError(msg)
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        found = ipaddress.ip_address(bare)
    except ValueError:
        found = None
    if found is None or (found.version == 6) != (bare != host):
        msg = f"{host!r} must be an IP address of this machine, IPv6 in brackets"
        raise ValueError(msg)
    return bare, int(port)


def _listen(text: str) -> str:
    if text != OFF:
        split_address(text)
    return text


def _public_url(text: str) -> str:
    url = urlsplit(text.strip())
    try:
        port = url.port
    except ValueError:
        port = -1
    plain = not (url.path.strip("/") or url.query or url.fragment or url.username or url.password)
    if url.scheme not in {"http", "https"} or not url.hostname or port == -1 or not plain:
        msg = f"{text!r} must be an address like https://ao.example.org, without a path"
        raise ValueError(msg)
    return f"{url.scheme}://{url.netloc.lower()}"


def _network(text: str) -> str:
    ipaddress.ip_network(text.strip(), strict=False)
    return text.strip()


class Console(Keys):
    """The browser's side and the API for colleagues. `listen` counts from the next `ao start` on."""

    listen: Annotated[str, AfterValidator(_listen)] = Field(
        default=f"{DEFAULT_HOST}:{DEFAULT_PORT}",
        description="IP address and port, or off. Where this is not written and the port is taken, a free one is used. "
        "Beyond this machine only together with `publicUrl`.",
    )
    public_url: Annotated[str, AfterValidator(_public_url)] | None = Field(
        default=None, description="How people reach it through a proxy; links are made with it."
    )
    trusted_proxies: tuple[Annotated[str, AfterValidator(_network)], ...] = Field(
        default=(), description="Addresses or networks of proxies whose X-Forwarded headers are believed."
    )

    @model_validator(mode="after")
    def _known_by_a_name(self) -> Self:
        if self.listen != OFF and not is_loopback(split_address(self.listen)[0]) and not self.public_url:
            msg = (
                f"{self.listen} is reached from other machines: that needs `publicUrl`, the address they use"
            )
            raise ValueError(msg)
        return self

    def listener(self, port: int | None = None) -> Listener | None:
        """What to listen on; None: nothing. `port` is the reference system's key, where it was written."""
        if self.listen == OFF:
            return None
        written = "listen" in self.model_fields_set
        host, own = split_address(self.listen)
        proxies: tuple[Network, ...] = tuple(
            ipaddress.ip_network(one, strict=False) for one in self.trusted_proxies
        )
        return Listener(
            host=host,
            port=port if port is not None and not written else own,
            chosen=written or port is not None,
            public_url=self.public_url or "",
            proxies=proxies,
        )
