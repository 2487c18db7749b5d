"""Where the browser's side and colleagues' shells reach us: an address to listen on, and how we are known."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TypeAlias

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8410

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One TCP listener."""

    host: str = DEFAULT_HOST
    """An IP address."""
    port: int = DEFAULT_PORT
    """0: any free one."""
    chosen: bool = False
    """Somebody wrote the address: if it is taken, no other one is used."""
    public_url: str = ""
    """As people reach it through a proxy: scheme and host, without a path; empty: only from this machine."""
    proxies: tuple[Network, ...] = ()
    """From whom `X-Forwarded-For` and `X-Forwarded-Proto` are believed."""

    @property
    def loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether an address is one of this machine alone; names are none, but for `localhost`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
