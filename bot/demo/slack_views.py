"""Modals and Home tabs of the fake Slack: a stack of views for each person, and what is typed into them."""

from __future__ import annotations

from typing import Any

from bot.demo.slack_callbacks import Triggers
from bot.demo.slack_limits import STACK, check_view
from bot.demo.slack_refusals import Code, Json, Refused
from bot.demo.slack_workspace import APP_ID, BOT_ID, TEAM, Workspace

_TEXT = {"plain_text_input", "email_text_input", "url_text_input", "number_input"}
_ONE_OPTION = {"static_select", "radio_buttons", "external_select"}


class CannotDo(Exception):
    """A person cannot do that: it is not on the screen, or the dialog does not let them."""

    def __init__(self, *, why: str) -> None:
        super().__init__(why)


class Views:
    """Who sees which modal on top, and everybody's Home tab."""

    def __init__(self, workspace: Workspace, triggers: Triggers) -> None:
        self._workspace = workspace
        self._triggers = triggers
        self.stacks: dict[str, list[Json]] = {}
        self.homes: dict[str, Json] = {}

    def open(self, trigger_id: str, view: object) -> Json:
        """`views.open`. Raises `Refused`."""
        made = self._made(check_view(view))
        user = self._triggers.use(trigger_id)
        return self._put(user, [made])

    def push(self, trigger_id: str, view: object) -> Json:
        """`views.push`: at most three on one another. Raises `Refused`."""
        made = self._made(check_view(view))
        user = self._triggers.use(trigger_id)
        return self.push_for(user, made)

    def push_for(self, user: str, made: Json) -> Json:
        """Put a view on a person's stack. Raises `Refused`: push_limit_reached."""
        stack = self.stacks.get(user, [])
        if len(stack) >= STACK:
            raise Refused(Code.PUSH_LIMIT_REACHED)
        if stack:
            made = {**made, "root_view_id": stack[0]["id"], "previous_view_id": stack[-1]["id"]}
        return self._put(user, [*stack, made])

    def update(self, view: object, *, view_id: str = "", external_id: str = "", hash_seen: str = "") -> Json:
        """`views.update`. Raises `Refused`: not_found, hash_conflict."""
        checked = check_view(view)
        for user, stack in self.stacks.items():
            for place, old in enumerate(stack):
                if old["id"] == view_id or (external_id and old.get("external_id") == external_id):
                    if hash_seen and hash_seen != old["hash"]:
                        raise Refused(Code.HASH_CONFLICT)
                    made = {**self._made(checked), "id": old["id"], "root_view_id": old["root_view_id"]}
                    self._put(user, [*stack[:place], made, *stack[place + 1 :]])
                    return made
        raise Refused(Code.NOT_FOUND)

    def publish(self, user: str, view: object, hash_seen: str = "") -> Json:
        """`views.publish`. Raises `Refused`: user_not_found, hash_conflict."""
        self._workspace.person(user)
        checked = check_view(view)
        if checked["type"] != "home":
            raise Refused(Code.INVALID_ARGUMENTS, "view must be of type home")
        old = self.homes.get(user)
        if old and hash_seen and hash_seen != old["hash"]:
            raise Refused(Code.HASH_CONFLICT)
        self.homes[user] = self._made(checked)
        self._workspace.touch()
        return self.homes[user]

    def _made(self, view: Json) -> Json:
        made = {
            "private_metadata": "",
            "callback_id": "",
            "external_id": "",
            "state": {"values": {}},
            **view,
            "id": self._workspace.number("V"),
            "hash": self._workspace.ts(),
            "team_id": TEAM,
            "app_id": APP_ID,
            "bot_id": BOT_ID,
        }
        blocks = [{"block_id": self._workspace.number("b"), **block} for block in view.get("blocks") or []]
        return {**made, "blocks": blocks, "root_view_id": made["id"], "previous_view_id": None}

    def _put(self, user: str, stack: list[Json]) -> Json:
        self.stacks[user] = stack
        self._workspace.touch()
        return stack[-1]

    # What a person does with them.

    def top(self, user: str, view_id: str = "") -> Json:
        """The modal that the person sees. Raises `CannotDo`."""
        stack = self.stacks.get(user)
        if not stack or (view_id and stack[-1]["id"] != view_id):
            what = f"the modal {view_id}" if view_id else "a modal"
            raise CannotDo(why=f"{self._workspace.person(user).name} does not see {what}.")
        return stack[-1]

    def close(self, user: str, *, everything: bool = False) -> Json:
        """The person closes the modal on top (or all); returns it. Raises `CannotDo`."""
        view = self.top(user)
        self._put_away(user, [] if everything else self.stacks[user][:-1])
        return view

    def _put_away(self, user: str, stack: list[Json]) -> None:
        self.stacks[user] = stack
        self._workspace.touch()

    def filled(self, view: Json, typed: dict[str, Any]) -> Json:
        """`state.values` of a modal with what was typed, by block id or action id. Raises `CannotDo`."""
        values: Json = {}
        unknown = set(typed)
        for block in view["blocks"]:
            element = block.get("element")
            if block.get("type") != "input" or not isinstance(element, dict):
                continue
            names = [name for name in (block["block_id"], element.get("action_id")) if name in typed]
            unknown -= set(names)
            given = typed[names[0]] if names else None
            value = _value(element, given)
            if not block.get("optional") and not _is_filled(value):
                raise CannotDo(why=f"Please complete this required field: {block['label']['text']}")
            values[block["block_id"]] = {element.get("action_id", ""): value}
        if unknown:
            raise CannotDo(why=f"The modal has no field {', '.join(sorted(unknown))}.")
        return values

    def answered(self, user: str, view: Json, answer: Json) -> None:
        """What the app's acknowledgement of a submission does to the modal. Raises `Refused` for a bad view."""
        match answer.get("response_action"):
            case "errors":
                errors = answer.get("errors") or {}
                known = {block["block_id"] for block in view["blocks"]}
                if not errors or set(errors) - known:
                    raise Refused(
                        Code.INVALID_ARGUMENTS, f"errors name no block of the modal: {sorted(errors)}"
                    )
                self.stacks[user][-1] = {**view, "errors": errors}
            case "update":
                self.update(answer.get("view"), view_id=view["id"])
            case "push":
                self.push_for(user, self._made(check_view(answer.get("view"))))
            case "clear":
                self._put_away(user, [])
            case _:
                self._put_away(user, [one for one in self.stacks.get(user, []) if one["id"] != view["id"]])
        self._workspace.touch()


def chosen(element: Json, wanted: str) -> Json:
    """The option with that value or label. Raises `CannotDo`."""
    options: list[Json] = element.get("options") or []
    for option in options:
        if wanted in {option.get("value"), option["text"]["text"]}:
            return option
    labels = ", ".join(option["text"]["text"] for option in options)
    raise CannotDo(why=f"There is no option {wanted!r}; there are: {labels}.")


def _value(element: Json, given: Any) -> Json:  # noqa: ANN401 - what came as JSON
    kind = str(element.get("type"))
    if kind in _TEXT:
        text = element.get("initial_value") if given is None else str(given)
        limit = element.get("max_length", 3_000)
        if text and len(text) > limit:
            raise CannotDo(why=f"At most {limit} characters fit.")
        return {"type": kind, "value": text or None}
    if kind in _ONE_OPTION:
        option = chosen(element, str(given)) if given else element.get("initial_option")
        return {"type": kind, "selected_option": option}
    if kind == "checkboxes":
        options = (
            element.get("initial_options", []) if given is None else [chosen(element, one) for one in given]
        )
        return {"type": kind, "selected_options": options}
    if kind == "users_select":
        return {"type": kind, "selected_user": given or element.get("initial_user")}
    raise CannotDo(why=f"The fake Slack cannot fill in a {kind}.")


def _is_filled(value: Json) -> bool:
    return any(content for name, content in value.items() if name != "type")
