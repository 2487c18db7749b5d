"""The keys under `webhooks`: where forges tell us what happens."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, ByteSize, Field

from orchestrator.settings.base import Keys
from orchestrator.settings.console_model import OFF, split_address

DEFAULT_LISTEN = "127.0.0.1:8420"
DEFAULT_PATH = "/hooks"
SECRET_VARIABLE = "AO_WEBHOOK_SECRET"  # noqa: S105 - a variable's name
DEFAULT_MOST = 5 * 1024 * 1024
"""GitHub sends at most 25 MB; what it tells of one pull request is some ten thousand bytes."""
_SEGMENTS = re.compile(r"(/[A-Za-z0-9._~-]+)+")


def _listen(text: str) -> str:
    if text != OFF:
        split_address(text)
    return text


def _path(text: str) -> str:
    if not _SEGMENTS.fullmatch(text) or {".", ".."} & set(text.split("/")):
        msg = (
            f"{text!r} must be a path like /hooks: letters, digits, - . _ ~ between slashes, none at its end"
        )
        raise ValueError(msg)
    return text


def _public_url(text: str) -> str:
    url = urlsplit(text.strip())
    try:
        port = url.port
    except ValueError:
        port = -1
    plain = not (url.query or url.fragment or url.username or url.password)
    if url.scheme not in {"http", "https"} or not url.hostname or port == -1 or not plain:
        msg = f"{text!r} must be an address like https://hooks.example.org, with or without a path"
        raise ValueError(msg)
    return f"{url.scheme}://{url.netloc.lower()}{url.path.rstrip('/')}"


UrlPath = Annotated[str, AfterValidator(_path)]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,100}$")]


class Webhooks(Keys):
    """A listener of its own for the deliveries of forges. Counts from the next `ao start` on."""

    listen: Annotated[str, AfterValidator(_listen)] = Field(
        default=DEFAULT_LISTEN,
        description="IP address and port, or off. A proxy or a tunnel brings the forge's deliveries there.",
    )
    path: UrlPath = Field(
        default=DEFAULT_PATH, description="What stands before `/github/<project>` in the addresses."
    )
    public_url: Annotated[str, AfterValidator(_public_url)] | None = Field(
        default=None,
        description="The address at which the forge reaches the listener, for `ao github webhook install`.",
    )
    secret_env: VariableName | tuple[VariableName, ...] = Field(
        default=SECRET_VARIABLE,
        description="Variable that holds the shared secret; of several the first is given to new hooks and each is "
        "accepted. Where none is set, `ao github webhook install` makes a secret and keeps it.",
    )
    max_body_bytes: ByteSize = Field(
        default=ByteSize(DEFAULT_MOST), ge=1024, description="Larger deliveries are refused."
    )

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the variables with secrets."""
        return (self.secret_env,) if isinstance(self.secret_env, str) else self.secret_env

    @property
    def address(self) -> tuple[str, int] | None:
        """Where to listen; None: nowhere."""
        return None if self.listen == OFF else split_address(self.listen)
