"""Messages in a terminal: columns, widths, nothing that a terminal would obey."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.chat.message import Field, Message, Table
from bot.frontends.shell import text


def test_tables_stand_in_columns_whatever_the_width_of_letters() -> None:
    table = Table(("id", "status", "task"), (("demo-1", "🔨 working", "#" * 50), ("d", "⏸️ paused", "#")))
    lines = text.table_lines(table, 40)
    assert lines[0].index("task") == 20
    assert {text.columns(line.split("#")[0]) for line in lines[1:]} == {20}
    assert all(text.columns(line) <= 40 for line in lines)
    assert lines[1].endswith("…")


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
