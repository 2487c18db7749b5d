from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.settings.document import parse, quoted

FILE = Path("a.yaml")


def test_values_are_read_as_yaml_1_2_reads_them() -> None:
    document = parse(
        "a: off\nb: 22:00\nc: true\nd: 2024-01-01\ne: 12\nf: 1.5\ng: ~\nh: '1'\ni: 0x10\nj:\n", FILE
    )
    assert document.data == {
        "a": "off", "b": "22:00", "c": True, "d": "2024-01-01", "e": 12, "f": 1.5, "g": None, "h": "1", "i": 16,
        "j": None,
    }  # fmt: skip
    assert not document.problems


def test_every_key_and_item_has_its_line() -> None:
    document = parse("a:\n  b:\n    - x\n    - y\nc: 1\n", FILE)
    assert document.lines == {("a",): 1, ("a", "b"): 2, ("a", "b", 0): 3, ("a", "b", 1): 4, ("c",): 5}


def test_a_doubled_key_names_both_lines() -> None:
    [problem] = parse("a:\n  b: 1\n  c: 2\n  b: 3\n", FILE).problems
    assert (problem.line, problem.path) == (4, "a.b")
    assert "line 2" in problem.message


def test_merge_keys_give_way_to_own_keys() -> None:
    document = parse("base: &b {x: 1, y: 2}\na:\n  <<: *b\n  y: 3\n", FILE)
    assert document.data["a"] == {"x": 1, "y": 3}
    assert document.lines["a", "y"] == 4


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [1\nb: 2", "no YAML"),
        ("- a\n- b\n", "mapping of keys"),
        ("a: !!python/object:os.system x\n", "tag"),
        ("? [a, b]\n: c\n", "plain text"),
        ("a: \x00", "no YAML"),
        ("a: *nothing\n", "no YAML"),
        ("[" * 5000, "nested too deeply"),
        ("a: &a [*a]\n", "too deeply"),
        ("<<: 3\n", "takes a mapping"),
        ("a: 0x\n", ""),
    ],
)
def test_what_is_no_configuration_is_one_problem_with_a_reason(text: str, words: str) -> None:
    problems = parse(text, FILE).problems
    assert len(problems) == (1 if words else 0)
    assert all(words in problem.message for problem in problems)


def test_anchors_cannot_multiply_without_bound() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 8)]
    problems = parse("\n".join(rows), FILE).problems
    assert [problem.message for problem in problems] == [
        "This holds too many values, or is nested too deeply."
    ]


@pytest.mark.parametrize(
    "text", ["plain", "a: b", "- x", "#no", "", "yes", "12", "a\nb", "'", '"', " x ", "$ü", "*a"]
)
def test_a_quoted_text_reads_back_on_one_line(text: str) -> None:
    assert "\n" not in quoted(text)
    assert parse(f"a: {quoted(text)}\n", FILE).data == {"a": text}
