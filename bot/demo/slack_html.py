"""HTML in which every text is escaped, and Slack's two ways of writing text turned into it."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

Names = Callable[[str], str]
"""The name of a person or channel by id."""

_EMOJI = {
    "eyes": "👀", "white_check_mark": "✅", "warning": "⚠️", "x": "❌", "hourglass": "⌛",
    "hourglass_flowing_sand": "⏳", "rocket": "🚀", "bell": "🔔", "no_entry": "⛔", "question": "❓",
    "speech_balloon": "💬", "robot_face": "🤖", "tada": "🎉", "thumbsup": "👍", "+1": "👍", "pause_button": "⏸️",
    "large_green_circle": "🟢", "red_circle": "🔴", "large_yellow_circle": "🟡", "white_circle": "⚪",
    "incoming_envelope": "📨", "thinking_face": "🤔", "wrench": "🔧", "lock": "🔒", "raised_hand": "✋",
}  # fmt: skip


class Safe(str):
    """HTML that was made here."""

    __slots__ = ()


def tag(name: str, /, *children: str, **attributes: str | bool | None) -> Safe:
    """An element. A plain text among the children is escaped; `class_` is `class`, `data_ts` is `data-ts`."""
    given = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{html.escape(value)}"')
        for key, value in attributes.items()
        if isinstance(value, str) or value
    )
    if name in {"input", "hr", "meta", "link", "br"}:
        return Safe(f"<{name}{given}>")
    return Safe(f"<{name}{given}>{join(*children)}</{name}>")


def join(*children: str) -> Safe:
    """One after the other; a plain text is escaped."""
    return Safe("".join(one if isinstance(one, Safe) else html.escape(one) for one in children))


def emoji(name: str) -> str:
    """The sign, or `:name:`."""
    return _EMOJI.get(name.partition("::")[0], f":{name}:")


def _link(address: str, label: str) -> Safe:
    if not address.startswith(("https://", "http://", "mailto:")):
        return join(label)
    return tag("a", label, href=address, rel="noopener noreferrer", target="_blank")


def _decoded(text: str) -> str:
    """In Slack's own text three signs stand as entities, and no others."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _date(target: str, label: str) -> str:
    """`!date^SECONDS^FORMAT` as a time (here always UTC); the words that go with it where it is none."""
    seconds = target.split("^")[1]
    try:
        return datetime.fromtimestamp(int(seconds), UTC).strftime("%d %b %Y %H:%M")
    except (ValueError, OverflowError, OSError):
        return label or seconds


def _reference(inside: str, names: Names) -> Safe:
    """What stands in angle brackets: a mention, a channel, everybody, a link."""
    target, _bar, label = _decoded(inside).partition("|")
    if target.startswith("@"):
        return tag("span", f"@{names(target[1:])}", class_="mention")
    if target.startswith("#"):
        return tag("span", f"#{label or names(target[1:])}", class_="mention")
    if target.startswith("!date^"):
        return join(_date(target, label))
    if target.startswith("!"):
        return tag("span", f"@{label.lstrip('@') or target[1:]}", class_="mention loud")
    return _link(target, label or target)


_MRKDWN = re.compile(
    r"`(?P<code>[^`\n]+)`|<(?P<reference>[^<>\n]+)>|(?<!\w)\*(?P<strong>[^*\n]+)\*(?!\w)"
    r"|(?<!\w)_(?P<em>[^_\n]+)_(?!\w)|(?<!\w)~(?P<s>[^~\n]+)~(?!\w)|:(?P<emoji>[a-z0-9_+-]+):"
)
_MARKDOWN = re.compile(
    r"`(?P<code>[^`\n]+)`|\[(?P<label>[^\]\n]+)\]\((?P<address>[^)\s]+)\)|\*\*(?P<strong>[^*\n]+)\*\*"
    r"|<(?P<reference>[@#!][^<>\n]+|https?://[^<>\s]+)>|(?<![\w*])[*_](?P<em>[^*_\n]+)[*_](?![\w*])"
    r"|~~(?P<s>[^~\n]+)~~|:(?P<emoji>[a-z0-9_+-]+):"
)


def _inline(text: str, names: Names, grammar: re.Pattern[str], literal: Callable[[str], str]) -> Safe:
    """One line of text."""
    parts: list[str] = []
    end = 0
    for found in grammar.finditer(text):
        parts.append(literal(text[end : found.start()]))
        end = found.end()
        parts.append(_piece(found, names, grammar, literal))
    return join(*parts, literal(text[end:]))


def _piece(
    found: re.Match[str], names: Names, grammar: re.Pattern[str], literal: Callable[[str], str]
) -> Safe:
    kind, words = next((kind, words) for kind, words in found.groupdict().items() if words is not None)
    if kind == "code":
        return tag("code", literal(words))
    if kind == "reference":
        return _reference(words, names)
    if kind == "label":
        return _link(found["address"], words)
    if kind == "emoji":
        return join(emoji(words))
    return tag(kind, _inline(words, names, grammar, literal))


def mrkdwn(text: str, names: Names) -> Safe:
    """Slack's own markup (`*bold*`, `<@U1>`, `&lt;`)."""
    return _written(text, names, _MRKDWN, _decoded, _mrkdwn_lines)


def markdown(text: str, names: Names) -> Safe:
    """Markdown as a `markdown` block has it: headings, lists, quotes, tables, fences."""
    return _written(text, names, _MARKDOWN, str, _markdown_lines)


_Lines = Callable[[list[str], Callable[[str], Safe]], Iterator[Safe]]


def _written(
    text: str, names: Names, grammar: re.Pattern[str], literal: Callable[[str], str], lines: _Lines
) -> Safe:
    parts: list[Safe] = []
    for number, piece in enumerate(text.split("```")):
        if number % 2:
            code = re.sub(r"\A[\w+-]*\n", "", piece) if grammar is _MARKDOWN else piece.removeprefix("\n")
            parts.append(tag("pre", tag("code", literal(code))))
        elif piece.strip():
            parts += lines(piece.strip("\n").split("\n"), lambda line: _inline(line, names, grammar, literal))
    return join(*parts)


def _mrkdwn_lines(lines: list[str], inline: Callable[[str], Safe]) -> Iterator[Safe]:
    for line in lines:
        if line.startswith("&gt;"):
            yield tag("blockquote", inline(line.removeprefix("&gt;").strip()))
        else:
            yield tag("div", inline(line), class_="line")


def _markdown_lines(lines: list[str], inline: Callable[[str], Safe]) -> Iterator[Safe]:
    for line in lines:
        if heading := re.match(r"(#{1,6})\s+(.*)", line):
            yield tag("div", inline(heading[2]), class_=f"heading h{min(3, len(heading[1]))}")
        elif item := re.match(r"\s*(?:[-*+]|\d+[.)])\s+(.*)", line):
            yield tag("div", inline(item[1]), class_="item")
        elif line.startswith(">"):
            yield tag("blockquote", inline(line[1:].strip()))
        elif line.startswith("|") and not set(line) <= set("|-: "):
            cells = (tag("span", inline(cell.strip()), class_="cell") for cell in line.strip("|").split("|"))
            yield tag("div", *cells, class_="row")
        elif not line.startswith("|"):
            yield tag("div", inline(line), class_="line")
