"""A message of ours as Slack blocks. Pure, and within Slack's limits whatever the message holds.

Limits as Slack documents them for Block Kit (2026): 50 blocks, section text 3,000, fields 10 of 2,000 each,
header 150, button text 75, value 2,000, overflow 5 options, confirm title 100 and text 300.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

from bot.chat import payload
from bot.chat.message import Button, Field, Message
from bot.chat.story import Entry

Block: TypeAlias = dict[str, Any]
PRESS, ASK, MENU = "ao:press", "ao:ask", "ao:menu"
"""What an action's id begins with: pressed at once, asks for words first, chosen in a menu."""
MOST_TEXT = 3900
_SECTION, _FIELD, _HEADER, _LABEL, _CONFIRM = 2900, 1900, 150, 75, 300
_MOST_FIELDS, _MOST_BUTTONS, _MOST_MENU = 10, 10, 5
_MOST_SECTIONS = 8
"""Sections that the lines or the table of an answer may take."""
_FENCES, _GAP = "```\n\n```", "\n…"
_ENTITY, _LONGEST_ENTITY = re.compile(r"&(?:amp|lt|gt);"), 5
_BROADCAST = re.compile(r"@(here|channel|everyone)", re.IGNORECASE)


def escape(text: str) -> str:
    """Outside text as Slack shows it: nothing in it is a mention, a link or a format of ours.

    `&`, `<` and `>` are Slack's own control characters; once they are escaped `<!channel>` is a word.
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def fence(text: str) -> str:
    """Outside text between fences; a fence inside of it is broken up."""
    return f"```\n{_harmless(text)}\n```"


def _harmless(text: str) -> str:
    return escape(text).replace("```", "`\u200b`\u200b`")


def entry_text(entry: Entry, mention: str = "") -> str:
    """What a notification and a screen reader say."""
    message = entry.message
    told = " ".join((mention, escape(message.title), *map(escape, message.lines[:3]))).strip()
    return _cut(told, MOST_TEXT)


def answer_text(message: Message) -> str:
    """The same of an answer."""
    return escape(" ".join((message.title, *message.lines[:2])))[:MOST_TEXT]


def card_blocks(message: Message) -> list[Block]:
    """A session's card."""
    found: list[Block] = [{"type": "header", "text": _plain(message.title or " ", _HEADER)}]
    found += _lines(message)
    found += _fields(message.fields)
    found += _actions(message)
    return found


def entry_blocks(entry: Entry, mention: str = "") -> list[Block]:
    """A post in a thread."""
    message = entry.message
    title = f"{f'{mention} ' if mention else ''}*{_bold(message.title)}*"
    return [_section(title), *_lines(message), *_fields(message.fields), *_actions(message)]


def answer_blocks(message: Message) -> list[Block]:
    """What somebody is answered: as an entry, with what it lists."""
    lines = _sections(message.lines, fenced=message.verbatim)
    found = [_section(f"*{_bold(message.title)}*"), *lines, *_fields(message.fields)]
    if message.table is not None:
        head = " · ".join(message.table.columns)
        rows = [" · ".join(cell for cell in row if cell) for row in message.table.rows]
        found += _sections([head, *rows], fenced=True)
    if message.next_steps:
        steps = "  ".join(f"`{escape(step)}`" for step in message.next_steps[:4])
        found.append(
            {"type": "context", "elements": [{"type": "mrkdwn", "text": _cut(f"Next: {steps}", 1900)}]}
        )
    return [*found, *_actions(message)][:50]


def modal(button: Button, carried: str) -> Block:
    """The form that asks for the words that go with a button; `carried` comes back with it."""
    return {
        "type": "modal",
        "callback_id": ASK,
        "private_metadata": carried,
        "title": _plain(button.label, 24),
        "submit": _plain("Send", 24),
        "close": _plain("Cancel", 24),
        "blocks": [
            {
                "type": "input",
                "block_id": "words",
                "label": _plain(button.ask or "Your words", 2000),
                "element": {
                    "type": "plain_text_input",
                    "action_id": "text",
                    "multiline": True,
                    "max_length": 3000,
                    "focus_on_load": True,
                },
            }
        ],
    }


def words_of_modal(view: Block) -> str:
    """What was typed into it."""
    values = view.get("state", {}).get("values", {})
    return str(values.get("words", {}).get("text", {}).get("value") or "")


def _lines(message: Message) -> list[Block]:
    if not message.lines:
        return []
    if message.verbatim:
        return _texts([fence("\n".join(message.lines))], cut_from=_SECTION)
    return _texts([escape(line) for line in message.lines], cut_from=_SECTION)


def _texts(lines: Sequence[str], *, cut_from: int) -> list[Block]:
    text = _middle("\n".join(lines), cut_from)
    return [_section(text)] if text.strip() else []


def _sections(lines: Sequence[str], *, fenced: bool) -> list[Block]:
    """All of it, in as many sections as it takes; of what is longer than that how it begins and ends."""
    shown = [line for text in lines for line in text.split("\n")]
    parts = _parts(list(map(_harmless if fenced else escape, shown)), _SECTION - len(_FENCES) - len(_GAP))
    if len(parts) > _MOST_SECTIONS:
        half = _MOST_SECTIONS // 2
        parts = [*parts[: half - 1], f"{parts[half - 1]}{_GAP}", *parts[-half:]]
    return [_section(f"```\n{part}\n```" if fenced else part) for part in parts if part.strip()]


def _fields(fields: Sequence[Field]) -> list[Block]:
    shown = [{"type": "mrkdwn", "text": _cut(_field(item), _FIELD)} for item in fields if item.value]
    return [
        {"type": "section", "fields": shown[at : at + _MOST_FIELDS]}
        for at in range(0, min(len(shown), 3 * _MOST_FIELDS), _MOST_FIELDS)
    ]


def _field(item: Field) -> str:
    since = ""
    if item.at is not None:
        # Slack shows it in the reader's own time; what stands behind | is for clients that cannot.
        since = f" since <!date^{int(item.at)}^{{date_short_pretty}} {{time}}|{_utc(item.at)}>"
    value = _cut(escape(item.value), _FIELD - 300)
    if item.value.startswith(("http://", "https://")) and not value.endswith("…"):
        value = f"<{escape(item.value).replace('|', '%7C')}|{escape(item.label)}>"
    return f"*{_cut(escape(item.label), 100)}*\n{value}{since}"


def _utc(at: float) -> str:
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%d %H:%M UTC")


def _actions(message: Message) -> list[Block]:
    elements: list[Block] = []
    for number, button in enumerate(message.buttons[:_MOST_BUTTONS]):
        elements.append(_button(button, number))
    options = [
        {"text": _plain(button.label, _LABEL), "value": payload.encode(button)}
        for button in message.menu[:_MOST_MENU]
    ]
    if options:
        elements.append({"type": "overflow", "action_id": MENU, "options": options})
    return [{"type": "actions", "elements": elements}] if elements else []


def _button(button: Button, number: int) -> Block:
    made: Block = {
        "type": "button",
        "text": _plain(button.label, _LABEL),
        "action_id": f"{ASK if button.ask else PRESS}:{number}",
        "value": payload.encode(button),
        "accessibility_label": _cut(button.label, _LABEL),
    }
    if button.danger:
        made["style"] = "danger"
    if button.confirm:
        made["confirm"] = {
            "title": _plain(f"{button.label}?", 100),
            "text": _plain("\n".join(button.confirm), _CONFIRM),
            "confirm": _plain(button.label, 30),
            "deny": _plain("Cancel", 30),
            **({"style": "danger"} if button.danger else {}),
        }
    return made


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": _middle(text, _SECTION)}}


def _plain(text: str, limit: int) -> Block:
    # In plain text nothing is a mention; emoji names stay as they are typed.
    return {"type": "plain_text", "text": _cut(text, limit) or " ", "emoji": True}


def _bold(text: str) -> str:
    return escape(text).replace("*", "\u2217")


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: _outside(text, limit - 1)] + "…"


def _middle(text: str, limit: int) -> str:
    """Cut in the middle: how it begins and how it ends says most."""
    if len(text) <= limit:
        return text
    half = (limit - 20) // 2
    closing = "\n```" if text.startswith("```") else ""
    begin = text[: _outside(text, half)]
    return f"{begin}\n…\n{text[_outside(text, len(text) - half + len(closing), later=True) :]}"


def _outside(text: str, at: int, *, later: bool = False) -> int:
    """`at`, or the place just before (or behind) the entity that it is inside of: half an `&lt;` is none."""
    begins = text.rfind("&", max(0, at - _LONGEST_ENTITY), at)
    found = _ENTITY.match(text, begins) if begins >= 0 else None
    if found is None or found.end() <= at:
        return at
    return found.end() if later else begins


def _parts(lines: Sequence[str], limit: int) -> list[str]:
    """Escaped lines as texts of at most `limit` characters, broken between lines where that can be."""
    found: list[str] = []
    for line in lines:
        rest = line
        while len(rest) > limit:
            end = _outside(rest, limit)
            found.append(rest[:end])
            rest = rest[end:]
        if found and len(found[-1]) + 1 + len(rest) <= limit:
            found[-1] += f"\n{rest}"
        else:
            found.append(rest)
    return found
