"""How the fake Slack says no: the platform's own error codes (docs.slack.dev, August 2026)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

Json = dict[str, Any]
"""An object as it travels: the platform's own form."""


class Code(StrEnum):
    """The error codes that this fake gives; each is one of the platform's own."""

    ALREADY_REACTED = "already_reacted"
    CANNOT_DM_BOT = "cannot_dm_bot"
    CANNOT_REPLY_TO_MESSAGE = "cannot_reply_to_message"
    CANT_DELETE_MESSAGE = "cant_delete_message"
    CANT_UPDATE_MESSAGE = "cant_update_message"
    CHANNEL_NOT_FOUND = "channel_not_found"
    EXCHANGED_TRIGGER_ID = "exchanged_trigger_id"
    EXPIRED_TRIGGER_ID = "expired_trigger_id"
    EXPIRED_URL = "expired_url"
    FILE_NOT_FOUND = "file_not_found"
    FILE_UPLOAD_SIZE_MISMATCH = "file_upload_size_mismatch"
    HASH_CONFLICT = "hash_conflict"
    INVALID_ARGUMENTS = "invalid_arguments"
    INVALID_AUTH = "invalid_auth"
    INVALID_BLOCKS = "invalid_blocks"
    INVALID_BLOCKS_FORMAT = "invalid_blocks_format"
    INVALID_CURSOR = "invalid_cursor"
    INVALID_JSON = "invalid_json"
    INVALID_LIMIT = "invalid_limit"
    INVALID_METADATA_FORMAT = "invalid_metadata_format"
    INVALID_NAME = "invalid_name"
    INVALID_TRIGGER_ID = "invalid_trigger_id"
    INVALID_TS_OLDEST = "invalid_ts_oldest"
    INVALID_URL = "invalid_url"
    IS_ARCHIVED = "is_archived"
    IS_INACTIVE = "is_inactive"
    JSON_NOT_OBJECT = "json_not_object"
    MARKDOWN_TEXT_CONFLICT = "markdown_text_conflict"
    MESSAGE_NOT_FOUND = "message_not_found"
    METADATA_TOO_LARGE = "metadata_too_large"
    METHOD_NOT_SUPPORTED_FOR_CHANNEL_TYPE = "method_not_supported_for_channel_type"
    MSG_BLOCKS_TOO_LONG = "msg_blocks_too_long"
    MSG_TOO_LONG = "msg_too_long"
    NO_REACTION = "no_reaction"
    NO_TEXT = "no_text"
    NOT_ALLOWED_TOKEN_TYPE = "not_allowed_token_type"  # noqa: S105 - no password
    NOT_AUTHED = "not_authed"
    NOT_FOUND = "not_found"
    PUSH_LIMIT_REACHED = "push_limit_reached"
    RATELIMITED = "ratelimited"
    THREAD_NOT_FOUND = "thread_not_found"
    TOKEN_REVOKED = "token_revoked"  # noqa: S105 - no password
    TOO_MANY_ATTACHMENTS = "too_many_attachments"
    UNKNOWN_METHOD = "unknown_method"
    USED_URL = "used_url"
    USER_DISABLED = "user_disabled"
    USER_NOT_FOUND = "user_not_found"
    USER_NOT_IN_CHANNEL = "user_not_in_channel"
    USERS_LIST_NOT_SUPPLIED = "users_list_not_supplied"
    USERS_NOT_FOUND = "users_not_found"
    VIEW_TOO_LARGE = "view_too_large"


class Refused(Exception):
    """A call that the platform answers with `{"ok": false, "error": code}`; `more` stands beside it."""

    def __init__(self, code: str, *messages: str, status: int = 200, **more: object) -> None:
        super().__init__(code, *messages)
        self.code = code
        self.status = status
        self.headers: dict[str, str] = {}
        self.body: Json = {"ok": False, "error": code, **more}
        if messages:
            self.body["response_metadata"] = {"messages": [f"[ERROR] {message}" for message in messages]}

    @classmethod
    def too_fast(cls, seconds: float) -> Refused:
        """HTTP 429, with how many whole seconds to wait."""
        refused = cls(Code.RATELIMITED, status=429)
        refused.headers["Retry-After"] = str(max(1, math.ceil(seconds)))
        return refused


def required(arguments: Mapping[str, Any], names: Sequence[str]) -> None:
    """Raises `Refused` for the first arguments that are not there."""
    missing = [name for name in names if arguments.get(name) in (None, "")]
    if missing:
        raise Refused(Code.INVALID_ARGUMENTS, *(f"missing required field: {name}" for name in missing))
