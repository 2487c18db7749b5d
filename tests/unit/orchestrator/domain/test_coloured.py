"""Of what a terminal could be told, only colours and styles stay, and each line stands for itself."""

from __future__ import annotations

import pytest

from orchestrator.domain.coloured import coloured, masked, plain

RED, GREEN = "\x1b[31m", "\x1b[32m"


@pytest.mark.parametrize(
    "hostile",
    [
        "\x1b]52;c;aGVsbG8=\x07",
        "\x1b]2;owned\x07",
        "\x1b]8;;https://evil.example\x1b\\",
        "\x1b[6n",
        "\x1b[c",
        "\x1b[?1049h",
        "\x1b[2J",
        "\x1bP+q544e\x1b\\",
        "\x1bc",
        "\u202e",
        "\x9b5m",
        "\x1b[>4;2m",
        "\x1b",
        "\r",
        "\x07",
    ],
)
def test_whatever_is_no_colour_is_taken_away(hostile: str) -> None:
    (line,) = coloured(f"a{hostile}{RED}b")
    assert plain(line).replace(" ", "").replace("\n", "") == "ab"
    assert line.endswith("\x1b[0;31mb")
    assert line.count("\x1b") == 1


def test_each_line_starts_afresh_with_what_the_one_before_left() -> None:
    assert coloured(f"{RED}one\ntwo\x1b[1m!\n\x1b[39mthree\x1b[m.") == (
        "\x1b[0;31mone",
        "\x1b[0;31mtwo\x1b[0;31;1m!",
        "\x1b[0;1mthree\x1b[0m.",
    )


def test_colours_of_many_kinds_replace_each_other_and_do_not_pile_up() -> None:
    many = "".join(f"\x1b[38;5;{number}mx\x1b[48;2;1;2;{number}my" for number in range(200))
    line = coloured(many + "\x1b[38:2::9:9:9mz")[0]
    assert line.endswith("\x1b[0;38:2::9:9:9;48;2;1;2;199mz")
    assert max(map(len, line.split("x"))) < 60


def test_lines_drawn_with_letters_are_lines() -> None:
    assert coloured("\x0elq\nqk\x0flq") == ("┌─", "─┐lq")


def test_a_secret_is_masked_in_its_place() -> None:
    secret = "ghp_" + "a1B2" * 9
    shown = masked(coloured(f"{GREEN}fine\n{RED}key {secret} end"))
    assert shown[0] == "\x1b[0;32mfine"
    assert secret not in shown[1]
    assert len(shown[1]) == len(f"key {secret} end")
    key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----"
    assert "MIIE" not in "".join(masked(coloured(f"{RED}{key}\nend")))
