"""How a client gets to a server: the unix socket of a home, or an address with a personal token.

Standard library only, and TLS only where it is needed: importing it takes longer than most verbs take.
"""

from __future__ import annotations

import json
import os
import socket
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import SplitResult, urlsplit

from typing_extensions import override

from orchestrator.domain.token import is_secret
from orchestrator.errors import BadInput, NotAllowed, NotReady, TemporaryError

_PORTS = {"http": 80, "https": 443}
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_MOST_FILE = 65536


class NoServer(NotReady):
    """Nobody listens there."""


class Reach(Protocol):
    """A way to one server."""

    @property
    def headers(self) -> Mapping[str, str]:
        """What is sent with every request."""

    @property
    def slow(self) -> bool:
        """Whether a network lies between: answers may take longer."""

    def open(self, timeout: float | None) -> socket.socket:
        """A connection. Raises `NoServer`, `NotReady`, `TemporaryError`."""


@dataclass(frozen=True, slots=True)
class UnixReach(Reach):
    """The server of this machine's home."""

    path: Path

    @property
    @override
    def headers(self) -> Mapping[str, str]:
        """None: the kernel says who asks."""
        return {}

    @property
    @override
    def slow(self) -> bool:
        """It is this machine."""
        return False

    @override
    def open(self, timeout: float | None) -> socket.socket:
        """Connect to the socket."""
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        opened.settimeout(timeout)
        try:
            opened.connect(str(self.path))
        except (FileNotFoundError, ConnectionRefusedError) as error:
            opened.close()
            msg = "no `ao start` runs for this AO_HOME."
            raise NoServer(msg, next_step="Run `ao start` in another shell.") from error
        except OSError as error:
            opened.close()
            msg = f"the socket {self.path} cannot be reached: {error.strerror or error}."
            raise NotReady(msg) from error
        return opened


@dataclass(frozen=True, slots=True)
class TcpReach(Reach):
    """A server at an address. Raises `BadInput` for an address that is none, or that would show the token."""

    address: str
    token: str = field(repr=False)
    _url: SplitResult = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_url", _checked(self.address))
        if not is_secret(self.token):
            msg = "this is no token: it begins with ao_ and has 43 more letters."
            raise BadInput(msg, next_step="`ao token add` on the server prints one.")

    @property
    @override
    def headers(self) -> Mapping[str, str]:
        """Under which name we ask, and the token."""
        return {"Host": self._url.netloc, "Authorization": f"Bearer {self.token}"}

    @property
    @override
    def slow(self) -> bool:
        """A network lies between."""
        return True

    @override
    def open(self, timeout: float | None) -> socket.socket:
        """Connect, with TLS where the address says https."""
        host, port = self._url.hostname or "", self._url.port or _PORTS[self._url.scheme]
        try:
            opened = socket.create_connection((host, port), timeout=timeout)
        except TimeoutError as error:
            msg = f"{self.address} did not answer in time."
            raise TemporaryError(msg, next_step="Ask again.") from error
        except OSError as error:
            msg = f"nobody answers at {self.address}: {error.strerror or error}."
            raise NoServer(msg, next_step="Does `ao start` run there, and is `console.listen` on?") from error
        return opened if self._url.scheme == "http" else self._with_tls(opened, host)

    def _with_tls(self, opened: socket.socket, host: str) -> socket.socket:
        import ssl

        try:
            return ssl.create_default_context().wrap_socket(opened, server_hostname=host)
        except OSError as error:  # an SSLError is one
            opened.close()
            msg = f"no safe connection to {self.address}: {error}."
            raise NotReady(msg, next_step="Its certificate must be one that this machine trusts.") from error


def _checked(address: str) -> SplitResult:
    url = urlsplit(address)
    try:
        _ = url.port
    except ValueError:
        url = urlsplit("")
    plain = not (url.path.strip("/") or url.query or url.fragment or url.username or url.password)
    if url.scheme not in _PORTS or not url.hostname or not plain:
        msg = f"{address!r} is no address of a server."
        raise BadInput(msg, next_step="Give one like https://ao.example.org or http://127.0.0.1:8410.")
    if url.scheme == "http" and url.hostname not in _LOOPBACK:
        msg = f"over {address} everybody on the way could read the token."
        raise BadInput(
            msg,
            next_step="Use https, or a tunnel: `ssh -L 8410:127.0.0.1:8410 HOST`, then http://127.0.0.1:8410.",
        )
    return url


def token_for(address: str, env: Mapping[str, str]) -> str:
    """The token for a server: `AO_TOKEN`, else what stands in `tokens.json` beside its address.

    Raises `NotReady` where there is none, `NotAllowed` for a file that others can read, `BadInput`.
    """
    if env.get("AO_TOKEN"):
        return env["AO_TOKEN"]
    path = tokens_file(env)
    known = {name.rstrip("/"): token for name, token in _read(path).items()}
    if address.rstrip("/") not in known:
        msg = f"there is no token for {address}."
        step = f'`ao token add` on the server makes one; put it into AO_TOKEN, or into {path}: {{"{address}": "ao_…"}}.'
        raise NotReady(msg, next_step=step)
    return known[address.rstrip("/")]


def tokens_file(env: Mapping[str, str]) -> Path:
    """Where a person keeps tokens of servers: a JSON object, address to token, mode 0600."""
    folder = env.get("XDG_CONFIG_HOME") or f"{env.get('HOME') or '~'}/.config"
    return Path(folder).expanduser() / "ao" / "tokens.json"


def _read(path: Path) -> dict[str, str]:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno())
            if mode.st_uid != os.getuid() or stat.S_IMODE(mode.st_mode) & 0o077:
                msg = f"others can read {path}, and tokens stand in it."
                raise NotAllowed(
                    msg, next_step=f"chmod 600 {path}; if they may have read it, `ao token rm` on the server."
                )
            found = json.loads(file.read(_MOST_FILE))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        msg = f"{path} cannot be read: {error}."
        raise BadInput(msg, next_step='It is a JSON object: {"https://ao.example.org": "ao_…"}.') from error
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        msg = f"{path} is no JSON object of addresses and tokens."
        raise BadInput(msg, next_step='Write {"https://ao.example.org": "ao_…"}.')
    return found
