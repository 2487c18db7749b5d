"""`ao token add`: the token is made here and shown here; the server is told its digest alone."""

from __future__ import annotations

import os
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import replace

from bot.chat.message import Json, Message
from bot.chat.request import Value
from orchestrator.domain.token import PREFIX, digest_of


def made(arguments: Mapping[str, Value]) -> tuple[str, dict[str, Value]]:
    """A new token, and the arguments with its digest."""
    secret = PREFIX + urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")
    return secret, {**arguments, "digest": digest_of(secret)}


def shown(message: Message, secret: str) -> Message:
    """The answer with the token in it: it is printed this once, and kept nowhere."""
    known: dict[str, Json] = message.data if isinstance(message.data, dict) else {}
    data: dict[str, Json] = {**known, "token": secret}
    lines = (secret, "It is shown this once. Give it to its person; they set AO_SERVER and AO_TOKEN.")
    return replace(message, lines=lines, data=data)
