"""The Web API of the fake Slack: every method that it knows, with the platform's own errors."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping

from bot.demo.slack_callbacks import Triggers
from bot.demo.slack_conversations import Conversations, is_true, whole
from bot.demo.slack_limits import TEXT, UPDATED_TEXT, check_message
from bot.demo.slack_refusals import Code, Json, Refused, required
from bot.demo.slack_views import Views
from bot.demo.slack_workspace import (
    APP_ID,
    BOT,
    BOT_ID,
    TEAM,
    TEAM_NAME,
    Channel,
    Person,
    Workspace,
)

_APP_TOKEN_METHODS = {"apps.connections.open"}
_EMOJI = re.compile(r"[a-z0-9_+'-]+(::skin-tone-\d)?")


class WebApi:
    """Calls of the one app. Each method takes the arguments and returns what stands beside `ok`."""

    def __init__(
        self,
        workspace: Workspace,
        views: Views,
        triggers: Triggers,
        addresses: Callable[[str], str],
        new_socket: Callable[[], str],
    ) -> None:
        self._workspace = workspace
        self._views = views
        self._triggers = triggers
        self._address = addresses
        self._new_socket = new_socket
        self._methods: Mapping[str, Callable[[Json], Json]] = {
            "api.test": lambda arguments: {"args": arguments},
            "apps.connections.open": lambda _arguments: {"url": self._new_socket()},
            "auth.test": self._auth_test,
            "chat.delete": self._delete,
            "chat.getPermalink": self._permalink,
            "chat.postEphemeral": self._post_ephemeral,
            "chat.postMessage": self._post,
            "chat.update": self._update,
            **Conversations(workspace).methods(),
            "files.completeUploadExternal": self._complete_upload,
            "files.getUploadURLExternal": self._upload_url,
            "reactions.add": self._react,
            "reactions.remove": self._unreact,
            "users.info": self._user,
            "users.lookupByEmail": self._user_by_email,
            "views.open": self._view_open,
            "views.publish": self._view_publish,
            "views.push": self._view_push,
            "views.update": self._view_update,
        }

    def call(self, method: str, token: str, arguments: Json) -> Json:
        """Perform a call; what stands beside `ok`. Raises `Refused`."""
        perform = self._methods.get(method)
        if perform is None:
            raise Refused(Code.UNKNOWN_METHOD, req_method=method)
        self._admit(method, token)
        return perform(arguments)

    def _admit(self, method: str, token: str) -> None:
        if not token:
            raise Refused(Code.NOT_AUTHED)
        if not token.startswith(("xoxb-", "xapp-")):
            raise Refused(Code.INVALID_AUTH)
        if token.startswith("xapp-") != (method in _APP_TOKEN_METHODS):
            raise Refused(Code.NOT_ALLOWED_TOKEN_TYPE)

    def _auth_test(self, _arguments: Json) -> Json:
        who = {"user": "ao", "user_id": BOT, "bot_id": BOT_ID, "app_id": APP_ID}
        return {
            "url": self._address(""),
            "team": TEAM_NAME,
            "team_id": TEAM,
            **who,
            "is_enterprise_install": False,
        }

    # chat.*

    def _post(self, arguments: Json) -> Json:
        required(arguments, ["channel"])
        name = str(arguments["channel"])
        direct = name in self._workspace.people
        channel = self._workspace.direct(name) if direct else self._workspace.app_channel(name)
        check_message(arguments, text_limit=TEXT)
        message = self._authored(arguments)
        if thread := arguments.get("thread_ts"):
            message["thread_ts"] = thread
            if is_true(arguments.get("reply_broadcast")):
                message["subtype"] = "thread_broadcast"
        added = self._workspace.post(channel, message)
        return {"channel": channel.id, "ts": added["ts"], "message": added}

    def _authored(self, arguments: Json) -> Json:
        author = {"user": BOT, "bot_id": BOT_ID, "app_id": APP_ID}
        message = {**author, "text": arguments.get("text") or "", "blocks": arguments.get("blocks") or []}
        if arguments.get("markdown_text"):
            message["text"] = arguments["markdown_text"]
            message["blocks"] = [{"type": "markdown", "text": arguments["markdown_text"]}]
        for name in ("metadata", "attachments"):
            if arguments.get(name):
                message[name] = arguments[name]
        return message

    def _update(self, arguments: Json) -> Json:
        required(arguments, ["channel", "ts"])
        channel, message = self._own(arguments, Code.CANT_UPDATE_MESSAGE)
        text, blocks = arguments.get("text"), arguments.get("blocks")
        keeps = text is None and blocks is None and arguments.get("metadata") is not None
        check_message(arguments | ({"text": "kept"} if keeps else {}), text_limit=UPDATED_TEXT)
        changes: Json = {}
        if arguments.get("markdown_text") or text is not None or blocks is not None:
            # A text without blocks takes the old blocks away.
            written = self._authored(arguments)
            changes = {"text": written["text"], "blocks": written["blocks"]}
            if text is None and not arguments.get("markdown_text"):
                changes["text"] = message.get("text", "")
        if arguments.get("metadata") is not None:  # left out: kept; empty: taken away
            changes["metadata"] = arguments["metadata"]
        self._workspace.edit(channel, message, BOT, **changes)
        return {"channel": channel.id, "ts": message["ts"], "text": message["text"], "message": message}

    def _own(self, arguments: Json, otherwise: Code) -> tuple[Channel, Json]:
        """A message of the app, with its channel."""
        channel = self._workspace.channel(str(arguments["channel"]))
        if channel.archived:
            raise Refused(Code.IS_INACTIVE)
        message = self._workspace.message(channel, str(arguments["ts"]))
        if message.get("user") != BOT:
            raise Refused(otherwise)
        return channel, message

    def _delete(self, arguments: Json) -> Json:
        required(arguments, ["channel", "ts"])
        channel, message = self._own(arguments, Code.CANT_DELETE_MESSAGE)
        self._workspace.delete(channel, message)
        return {"channel": channel.id, "ts": message["ts"]}

    def _post_ephemeral(self, arguments: Json) -> Json:
        required(arguments, ["channel", "user"])
        channel = self._workspace.app_channel(str(arguments["channel"]))
        user = str(arguments["user"])
        if user not in channel.members:
            raise Refused(Code.USER_NOT_IN_CHANNEL)
        check_message(arguments, text_limit=TEXT)
        content = self._authored(arguments)
        if thread := arguments.get("thread_ts"):
            self._workspace.root(channel, thread)
            content["thread_ts"] = thread
        return {"message_ts": self._workspace.whisper(channel, user, content)["ts"]}

    def _permalink(self, arguments: Json) -> Json:
        required(arguments, ["channel", "message_ts"])
        channel = self._workspace.channel(str(arguments["channel"]))
        ts = self._workspace.message(channel, str(arguments["message_ts"]))["ts"]
        return {
            "channel": channel.id,
            "permalink": self._address(f"archives/{channel.id}/p{ts.replace('.', '')}"),
        }

    # reactions.*, users.*

    def _reaction(self, arguments: Json) -> tuple[Channel, str, str]:
        required(arguments, ["channel", "timestamp", "name"])
        name = str(arguments["name"])
        if not _EMOJI.fullmatch(name):
            raise Refused(Code.INVALID_NAME)
        return self._workspace.app_channel(str(arguments["channel"])), str(arguments["timestamp"]), name

    def _react(self, arguments: Json) -> Json:
        channel, ts, name = self._reaction(arguments)
        self._workspace.react(channel, ts, BOT, name)
        return {}

    def _unreact(self, arguments: Json) -> Json:
        channel, ts, name = self._reaction(arguments)
        self._workspace.unreact(channel, ts, BOT, name)
        return {}

    def _user(self, arguments: Json) -> Json:
        required(arguments, ["user"])
        return {"user": self._workspace.person(str(arguments["user"])).form()}

    def _user_by_email(self, arguments: Json) -> Json:
        required(arguments, ["email"])
        wanted = str(arguments["email"]).lower()
        found: Person | None = next(
            (one for one in self._workspace.people.values() if one.email.lower() == wanted), None
        )
        if found is None:
            raise Refused(Code.USERS_NOT_FOUND)
        return {"user": found.form()}

    # views.*

    def _view_open(self, arguments: Json) -> Json:
        required(arguments, ["trigger_id", "view"])
        return {"view": self._views.open(str(arguments["trigger_id"]), arguments["view"])}

    def _view_push(self, arguments: Json) -> Json:
        required(arguments, ["trigger_id", "view"])
        return {"view": self._views.push(str(arguments["trigger_id"]), arguments["view"])}

    def _view_update(self, arguments: Json) -> Json:
        required(arguments, ["view"])
        names = {"view_id": "view_id", "external_id": "external_id", "hash": "hash_seen"}
        given = {ours: str(arguments.get(name) or "") for name, ours in names.items()}
        return {"view": self._views.update(arguments["view"], **given)}

    def _view_publish(self, arguments: Json) -> Json:
        required(arguments, ["user_id", "view"])
        seen = str(arguments.get("hash") or "")
        return {"view": self._views.publish(str(arguments["user_id"]), arguments["view"], seen)}

    # files.*

    def _upload_url(self, arguments: Json) -> Json:
        required(arguments, ["filename", "length"])
        length = whole(arguments["length"], "length")
        if length < 1:
            raise Refused(Code.INVALID_ARGUMENTS, "length must be at least 1")
        file, secret = self._workspace.number("F"), secrets.token_hex(8)
        name = str(arguments["filename"])
        self._workspace.files[file] = {
            "id": file,
            "name": name,
            "title": name,
            "size": length,
            "secret": secret,
        }
        return {"upload_url": self._address(f"upload/{file}/{secret}"), "file_id": file}

    def uploaded(self, file: str, secret: str, content: bytes) -> None:
        """Bytes that came to an upload's address. Raises `Refused`."""
        row = self._workspace.files.get(file)
        if row is None or row["secret"] != secret:
            raise Refused(Code.FILE_NOT_FOUND, status=404)
        if len(content) != row["size"]:
            raise Refused(Code.FILE_UPLOAD_SIZE_MISMATCH, status=400)
        row["content"] = content

    def _complete_upload(self, arguments: Json) -> Json:
        required(arguments, ["files"])
        rows = []
        for one in arguments["files"]:
            row = self._workspace.files.get(str(one.get("id")))
            if row is None or "content" not in row:
                raise Refused(Code.FILE_NOT_FOUND)
            row["title"] = one.get("title") or row["name"]
            rows.append({name: row[name] for name in ("id", "name", "title", "size")})
        if name := arguments.get("channel_id"):
            channel = self._workspace.app_channel(str(name))
            thread = {"thread_ts": arguments["thread_ts"]} if arguments.get("thread_ts") else {}
            comment = {"text": arguments.get("initial_comment") or "", "files": rows, **thread}
            author = {"user": BOT, "bot_id": BOT_ID, "subtype": "file_share"}
            self._workspace.post(channel, {**author, **comment})
        return {"files": rows}
