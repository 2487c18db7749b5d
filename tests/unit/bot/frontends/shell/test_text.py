"""Messages in a terminal: columns, widths, nothing that a terminal would obey."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.chat.message import Field, Message, Table
from bot.frontends.shell import text
from bot.frontends.shell.console import WHOLE


def test_tables_stand_in_columns_whatever_the_width_of_letters() -> None:
    table = Table(("id", "status", "task"), (("demo-1", "🔨 working", "#" * 50), ("d", "⏸️ paused", "#")))
    lines = text.table_lines(table, 40)
    assert lines[0].index("task") == 20
    assert {text.columns(line.split("#")[0]) for line in lines[1:]} == {20}
    assert all(text.columns(line) <= 40 for line in lines)
    assert lines[1].endswith("…")


def test_prose_goes_on_between_words_and_a_command_stays_whole() -> None:
    said = "The checks of this pull request pass; `ao request-changes demo-1 <text>` asks for more."
    message = Message(
        title=said,
        lines=(said, "  1. " + said, "/a/path/that/is/longer/than/the/whole/terminal/is/wide"),
        fields=(Field("a", "1"), Field("reason", said)),
        next_steps=("approve demo-1", "request-changes demo-1 <text>"),
    )
    lines = text.lines_of(message, 50)
    assert [line for line in lines if text.columns(line) > 50] == [message.lines[2]]
    assert lines[0] == "The checks of this pull request pass;"
    assert lines[1] == "  `ao request-changes demo-1 <text>` asks for"
    assert lines[2] == "  more."
    reason = next(index for index, line in enumerate(lines) if line.startswith("  reason"))
    assert lines[reason + 1].startswith("          ")
    assert lines[-2:] == ["Next: ao approve demo-1", "      ao request-changes demo-1 <text>"]


def test_a_screen_or_a_command_is_shown_as_it_is() -> None:
    line = "tmux -L ao attach-session -t demo-1   with blanks"
    assert text.lines_of(Message(title="", lines=(line,), verbatim=True), 20) == [line]


def test_a_pipe_gets_whole_lines() -> None:
    table = Table(("a", "b"), (("x" * 500, "y" * 5000),), cut=("a",))
    message = Message(title="word " * 500, table=table)
    assert text.lines_of(message, WHOLE) == [message.title.rstrip(), *text.table_lines(table, WHOLE)]
    assert "…" not in "".join(text.lines_of(message, WHOLE))


def test_only_columns_with_texts_are_cut() -> None:
    table = Table(
        ("id", "path", "sessions"), (("project-one", "/a/very/long/path/to/it", "12"),), cut=("path",)
    )
    [head, row] = text.table_lines(table, 36)
    assert row.startswith("project-one  ")
    assert row.endswith("  12")
    assert "…" in row
    assert text.columns(head) <= 36 >= text.columns(row)


def test_a_column_that_goes_on_below_loses_nothing() -> None:
    said = "0 of 1 approvals; `ao approve demo-1` approves it"
    lines = text.table_lines(Table(("what", "found"), (("session demo-1", said),), wrap=True), 44)
    assert all(text.columns(line) <= 44 for line in lines)
    assert " ".join(" ".join(lines[1:]).split()) == f"session demo-1 {said}"
    narrow = text.table_lines(Table(("what", "found"), (("session demo-1", said),), wrap=True), 30)
    assert narrow[3].startswith("    0 of 1")


def test_everything_of_a_message_is_there() -> None:
    message = Message(
        title="T",
        lines=("L",),
        fields=(Field("a", "1"), Field("long", "2")),
        table=Table(("c",), (("r",),)),
        next_steps=("status", "events"),
    )
    assert text.lines_of(message, 80) == [
        "T", "L", "  a     1", "  long  2", "c", "r", "Next: ao status  |  ao events",
    ]  # fmt: skip


def test_escape_sequences_do_not_reach_the_terminal() -> None:
    message = Message(title="\x1b]52;c;evil\x07a\x9bb", table=Table(("x",), (("\x1b[2J\nz",),)))
    printed = "".join(text.lines_of(message, 80))
    assert "\x1b" not in printed
    assert "evil" not in printed
    assert "\n" not in printed


@given(st.text(max_size=60), st.integers(min_value=2, max_value=40))
def test_a_cut_text_fits(words: str, space: int) -> None:
    assert text.columns(text.cut(words, space)) <= space
