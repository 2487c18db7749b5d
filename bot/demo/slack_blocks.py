"""Blocks of the fake Slack as HTML: what a person sees of a card, with its buttons, menus and fields."""

from __future__ import annotations

import json

from bot.demo.slack_html import Names, Safe, join, markdown, mrkdwn, tag
from bot.demo.slack_people import action_name
from bot.demo.slack_refusals import Json


class Blocks:
    """Draws blocks. `where` are the attributes by which the page's script says what was pressed."""

    def __init__(self, names: Names, user: str, where: dict[str, str]) -> None:
        self._names = names
        self._user = user
        self._where = where

    def draw(self, blocks: list[Json]) -> Safe:
        """All of them."""
        return join(*(self._block(block) for block in blocks))

    def text(self, thing: object) -> Safe:
        """A text object."""
        if not isinstance(thing, dict):
            return Safe("")
        words = str(thing.get("text", ""))
        return (
            mrkdwn(words, self._names) if thing.get("type") == "mrkdwn" else tag("div", words, class_="line")
        )

    def _block(self, block: Json) -> Safe:
        match str(block.get("type")):
            case "header":
                return tag("div", str(block["text"]["text"]), class_="header", role="heading", aria_level="3")
            case "divider":
                return tag("hr")
            case "section":
                return self._section(block)
            case "context":
                inside = (tag("span", self.text(one), class_="bit") for one in block["elements"])
                return tag("div", *inside, class_="context")
            case "actions" | "context_actions":
                return tag("div", *(self._element(one) for one in block["elements"]), class_="actions")
            case "markdown":
                return tag("div", markdown(str(block["text"]), self._names), class_="section")
            case "input":
                return self._input(block)
            case other:
                return tag("div", f"[{other}]", class_="unknown")

    def _section(self, block: Json) -> Safe:
        words = self.text(block["text"]) if block.get("text") else Safe("")
        fields = [tag("div", self.text(field), class_="field") for field in block.get("fields") or []]
        beside = self._element(block["accessory"]) if block.get("accessory") else Safe("")
        inside = join(words, tag("div", *fields, class_="fields") if fields else "")
        return tag("div", tag("div", inside, class_="words"), beside, class_="section")

    def _element(self, element: Json) -> Safe:
        only = element.get("visible_to_user_ids")
        if only and self._user not in only:
            return Safe("")
        kind = element.get("type")
        if kind == "button":
            return self._button(element)
        if kind in {"overflow", "static_select"}:
            return self._menu(element)
        return tag("span", f"[{kind}]", class_="unknown")

    def _press(self, element: Json) -> dict[str, str]:
        confirm = {"data_confirm": json.dumps(_confirm(element["confirm"]))} if element.get("confirm") else {}
        return {**self._where, "data_what": element["action_id"], **confirm}

    def _button(self, element: Json) -> Safe:
        label = element.get("accessibility_label")
        style = f"press {element.get('style', '')}".strip()
        link = {"data_url": element["url"]} if element.get("url") else {}
        attributes = {**self._press(element), **link}
        return tag(
            "button", action_name(element), type="button", class_=style, aria_label=label, **attributes
        )

    def _menu(self, element: Json) -> Safe:
        """A menu that opens in place, for an overflow and for a select."""
        hint = (element.get("placeholder") or {}).get("text", "⋯")
        rows = [
            tag(
                "button",
                str(option["text"]["text"]),
                type="button",
                class_="press",
                data_option=str(option.get("value", option["text"]["text"])),
                **self._press(element),
            )
            for option in element.get("options") or []
        ]
        title = tag("summary", hint, class_="press", aria_label="More actions" if hint == "⋯" else None)
        return tag("details", title, tag("div", *rows, class_="choices"), class_="menu")

    def _input(self, block: Json) -> Safe:
        element = block["element"]
        name = str(block["block_id"])
        label = tag("span", str(block["label"]["text"]), class_="label")
        more = " (optional)" if block.get("optional") else ""
        hint = tag("small", str(block["hint"]["text"])) if block.get("hint") else ""
        return tag("label", label, more, _field(element, name), hint, class_="field-input")


def _field(element: Json, name: str) -> Safe:
    kind = element.get("type")
    if kind in {"static_select", "radio_buttons"}:
        chosen = (element.get("initial_option") or {}).get("value")
        options = [
            tag("option", str(one["text"]["text"]), value=one["value"], selected=one["value"] == chosen)
            for one in element["options"]
        ]
        return tag("select", tag("option", "", value=""), *options, name=name)
    if kind == "checkboxes":
        boxes = [
            tag(
                "label",
                tag("input", type="checkbox", name=name, value=one["value"], data_many="yes"),
                str(one["text"]["text"]),
            )
            for one in element["options"]
        ]
        return tag("span", *boxes, class_="boxes")
    text = str(element.get("initial_value") or "")
    hint = (element.get("placeholder") or {}).get("text")
    if element.get("multiline"):
        return tag("textarea", text, name=name, rows="5", placeholder=hint)
    return tag("input", type="text", name=name, value=text, placeholder=hint)


def _confirm(confirm: Json) -> dict[str, str]:
    """The dialog's words; its text is shown as it stands."""
    plain = {
        name: str((confirm.get(name) or {}).get("text", "")) for name in ("title", "text", "confirm", "deny")
    }
    return {**plain, "style": str(confirm.get("style", ""))}
