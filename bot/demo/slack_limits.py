"""How much fits into Slack's messages, blocks, views and metadata, and what it answers to more.

The limits are those of docs.slack.dev (August 2026).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bot.demo.slack_refusals import Code, Json, Refused

TEXT = 40_000
UPDATED_TEXT = 4_000
MARKDOWN = 12_000
BLOCKS_OF_A_MESSAGE = 13_200
"""Characters that all texts of a message's blocks may have together (found by others: `msg_blocks_too_long`)."""
METADATA_BYTES = 8_000
"""Slack says that there is a limit and not which; ours is lower than any that was reported."""
BLOCKS: Mapping[str, int] = {"message": 50, "modal": 100, "home": 100}
VIEW_BYTES = 250_000
STACK = 3
_ELEMENTS = {"actions": 25, "context": 10, "context_actions": 5}
_INSIDE = {
    "section": {"text", "fields", "accessory"},
    "header": {"text"},
    "divider": set[str](),
    "image": {"image_url", "slack_file"},
    "actions": {"elements"},
    "context": {"elements"},
    "context_actions": {"elements"},
    "input": {"element"},
    "markdown": {"text"},
    "rich_text": {"elements"},
    "table": {"rows"},
    "file": {"external_id"},
    "video": {"video_url"},
    "alert": {"text"},
    "card": set[str](),
    "container": set[str](),
}
_ELEMENT_LIMITS = {"accessibility_label": 75, "action_id": 255, "value": 2_000, "url": 3_000}
_VIEW_STRINGS = {"private_metadata": 3_000, "callback_id": 255, "external_id": 255}
_NEEDS_ACTION_ID = {
    "button", "overflow", "static_select", "users_select", "plain_text_input", "checkboxes", "radio_buttons",
}  # fmt: skip
_CONFIRM = {"title": 100, "text": 300, "confirm": 30, "deny": 30}


def _size(value: object) -> int:
    return len(value) if isinstance(value, str | list) else 0


def text_of(thing: object) -> str:
    """The words of a text object, or of a plain text."""
    if isinstance(thing, str):
        return thing
    text = thing.get("text", "") if isinstance(thing, dict) else ""
    return text if isinstance(text, str) else ""


class _Faults:
    """Collects what is wrong with blocks, each with where it stands."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def longer(self, what: str, value: object, limit: int, where: str) -> None:
        if _size(value) > limit:
            kind = "items" if isinstance(value, list) else "characters"
            self.messages.append(f"{what} must have no more than {limit} {kind} [json-pointer:{where}]")

    def wrong(self, what: str, where: str) -> None:
        self.messages.append(f"{what} [json-pointer:{where}]")

    def text(self, what: str, thing: object, limit: int, where: str, *, plain: bool = False) -> None:
        """A text object: its type, that it is not empty, and how long it may be."""
        kinds = {"plain_text"} if plain else {"plain_text", "mrkdwn"}
        if not isinstance(thing, dict) or thing.get("type") not in kinds:
            self.wrong(f"{what} must be a text object of type {' or '.join(sorted(kinds))}", where)
        elif not text_of(thing):
            self.wrong(f"{what} must have more than 0 characters", where)
        else:
            self.longer(what, text_of(thing), limit, where)


def check_blocks(blocks: object, surface: str) -> list[Json]:
    """The blocks, when Slack would show them on that surface (message, modal, home). Raises `Refused`."""
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise Refused(Code.INVALID_BLOCKS_FORMAT, "blocks must be a list of objects")
    faults = _Faults()
    faults.longer("blocks", blocks, BLOCKS[surface], "/blocks")
    for number, block in enumerate(blocks):
        _check_block(faults, block, surface, f"/blocks/{number}")
    ids = [block["block_id"] for block in blocks if block.get("block_id")]
    if len(ids) != len(set(ids)):
        faults.wrong("block_id must be unique in a message", "/blocks")
    if faults.messages:
        raise Refused(Code.INVALID_BLOCKS, *faults.messages)
    return blocks


def _check_block(faults: _Faults, block: Json, surface: str, where: str) -> None:
    kind = block.get("type")
    if kind not in _INSIDE:
        faults.wrong(f"unsupported type: {kind}", f"{where}/type")
        return
    faults.longer("block_id", block.get("block_id"), 255, f"{where}/block_id")
    needed = _INSIDE[kind]
    if needed and not any(block.get(name) for name in needed):
        faults.wrong(f"{kind} needs {' or '.join(sorted(needed))}", where)
    _check_texts(faults, block, where)
    elements = [one for one in block.get("elements") or [] if isinstance(one, dict)]
    if limit := _ELEMENTS.get(kind):
        faults.longer("elements", block.get("elements"), limit, f"{where}/elements")
        for number, element in enumerate(elements):
            _check_element(faults, element, f"{where}/elements/{number}")
    for name in ("accessory", "element"):
        if isinstance(one := block.get(name), dict):
            elements.append(one)
            _check_element(faults, one, f"{where}/{name}")
    ids = [one["action_id"] for one in elements if one.get("action_id")]
    if len(ids) != len(set(ids)):
        faults.wrong("action_id must be unique in a block", f"{where}/elements")


def _check_texts(faults: _Faults, block: Json, where: str) -> None:
    kind = block["type"]
    if kind == "section":
        _check_section(faults, block, where)
    elif kind == "table":
        faults.longer("rows", block.get("rows"), 100, f"{where}/rows")
        for number, row in enumerate(block.get("rows") or []):
            faults.longer("cells", row, 20, f"{where}/rows/{number}")
    elif kind == "header":
        faults.text("header text", block.get("text"), 150, f"{where}/text", plain=True)
    elif kind == "input":
        faults.text("label", block.get("label"), 2_000, f"{where}/label", plain=True)
    elif kind == "markdown":
        faults.longer("markdown text", block.get("text"), MARKDOWN, f"{where}/text")


def _check_section(faults: _Faults, block: Json, where: str) -> None:
    if block.get("text"):
        faults.text("section text", block["text"], 3_000, f"{where}/text")
    fields = block.get("fields") or []
    faults.longer("fields", fields, 10, f"{where}/fields")
    for number, field in enumerate(fields):
        faults.text("field", field, 2_000, f"{where}/fields/{number}")


def _check_element(faults: _Faults, element: Json, where: str) -> None:
    kind = element.get("type")
    if kind in {"mrkdwn", "plain_text"}:
        faults.text("context text", element, 3_000, where)
        return
    for name, limit in _ELEMENT_LIMITS.items():
        faults.longer(name, element.get(name), limit, f"{where}/{name}")
    if kind in _NEEDS_ACTION_ID and not element.get("action_id"):
        faults.wrong(f"{kind} needs action_id", where)
    if kind == "button":
        faults.text("button text", element.get("text"), 75, f"{where}/text", plain=True)
        if element.get("style", "primary") not in {"primary", "danger"}:
            faults.wrong("style must be primary or danger", f"{where}/style")
    if element.get("placeholder"):
        faults.text("placeholder", element["placeholder"], 150, f"{where}/placeholder", plain=True)
    _check_options(faults, element, where)
    _check_confirm(faults, element.get("confirm"), f"{where}/confirm")


def _check_confirm(faults: _Faults, confirm: Json | None, where: str) -> None:
    for name, limit in _CONFIRM.items() if confirm else ():
        given = (confirm or {}).get(name)
        if given or name in {"title", "text"}:
            faults.text(f"confirm {name}", given, limit, f"{where}/{name}", plain=name != "text")


def _check_options(faults: _Faults, element: Json, where: str) -> None:
    kind = element.get("type")
    limits = {"overflow": 5, "static_select": 100, "radio_buttons": 10, "checkboxes": 10}
    if kind not in limits or "option_groups" in element:
        return
    options = element.get("options") or []
    faults.longer("options", options, limits[kind], f"{where}/options")
    if not options:
        faults.wrong(f"{kind} needs options", where)
    for number, option in enumerate(options):
        place = f"{where}/options/{number}"
        faults.text("option text", option.get("text"), 75, place, plain=kind in {"overflow", "static_select"})
        faults.longer("option value", option.get("value"), 150, f"{place}/value")


def check_message(arguments: Mapping[str, Any], *, text_limit: int) -> None:
    """What a message is made of. Raises `Refused`."""
    text, markdown = arguments.get("text") or "", arguments.get("markdown_text") or ""
    blocks = arguments.get("blocks") or []
    if markdown and (text or blocks):
        raise Refused(Code.MARKDOWN_TEXT_CONFLICT)
    if len(text) > text_limit or len(markdown) > MARKDOWN:
        raise Refused(Code.MSG_TOO_LONG)
    check_blocks(blocks, "message")
    if sum(len(words) for words in words_of(blocks)) > BLOCKS_OF_A_MESSAGE:
        raise Refused(Code.MSG_BLOCKS_TOO_LONG)
    if len(arguments.get("attachments") or []) > 100:
        raise Refused(Code.TOO_MANY_ATTACHMENTS)
    if not (text or markdown or blocks or arguments.get("attachments")):
        raise Refused(Code.NO_TEXT)
    check_metadata(arguments.get("metadata"))


def words_of(thing: object) -> Iterator[str]:
    """Every `text` inside a block."""
    if isinstance(thing, list):
        for one in thing:
            yield from words_of(one)
    elif isinstance(thing, dict):
        for name, one in thing.items():
            if name == "text" and isinstance(one, str):
                yield one
            else:
                yield from words_of(one)


def check_metadata(metadata: object) -> None:
    """A message's metadata. Raises `Refused`."""
    if not metadata:
        return
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_type"), str):
        raise Refused(Code.INVALID_METADATA_FORMAT, "metadata needs event_type")
    if not isinstance(metadata.get("event_payload"), dict):
        raise Refused(Code.INVALID_METADATA_FORMAT, "metadata needs event_payload")
    if len(json.dumps(metadata["event_payload"]).encode()) > METADATA_BYTES:
        raise Refused(Code.METADATA_TOO_LARGE)


def check_view(view: object) -> Json:
    """A modal or a Home tab. Raises `Refused`."""
    if not isinstance(view, dict) or view.get("type") not in {"modal", "home"}:
        raise Refused(Code.INVALID_ARGUMENTS, "view must be an object of type modal or home")
    if len(json.dumps(view).encode()) > VIEW_BYTES:
        raise Refused(Code.VIEW_TOO_LARGE)
    faults = _Faults()
    _check_frame(faults, view)
    try:
        check_blocks(view.get("blocks"), str(view["type"]))
    except Refused as refused:
        faults.messages += [str(message) for message in refused.args[1:]]
    if faults.messages:
        raise Refused(Code.INVALID_ARGUMENTS, *faults.messages)
    return view


def _check_frame(faults: _Faults, view: Json) -> None:
    for name in ("title", "submit", "close"):
        if view.get(name) or (name == "title" and view["type"] == "modal"):
            faults.text(name, view.get(name), 24, f"/view/{name}", plain=True)
    for name, limit in _VIEW_STRINGS.items():
        faults.longer(name, view.get(name), limit, f"/view/{name}")
    has_inputs = any(block.get("type") == "input" for block in view.get("blocks") or [])
    if view["type"] == "modal" and has_inputs and not view.get("submit"):
        faults.wrong("a modal with inputs needs submit", "/view/submit")
