"""What the sandbox repository is made of: a small package, its tests, and issues that carry plans."""

from __future__ import annotations

import json
from typing import Any, Protocol

Step = dict[str, Any]

FAILING_TEXT = "FAIL: test_separators_collapse"
"""The line of the failing check that the agent must have been told to go on in issue 1."""

FILES = {
    ".gitignore": "__pycache__/\n",
    "README.md": """\
# textkit

A very small package for trying out `ao`. Its tests: `python3 -m unittest -q`.
""",
    "textkit/__init__.py": '"""Small things for texts."""\n',
    "textkit/slug.py": '''\
"""Text as a part of an address."""

import re


def slugify(text):
    """`Hello, World!` as `hello-world`."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
''',
    "textkit/words.py": '''\
"""Words of a text."""


def count_words(text):
    """How many words a text has."""
    return len(text.split())
''',
    "tests/__init__.py": "",
    "tests/test_slug.py": """\
import unittest

from textkit.slug import slugify


class SlugTest(unittest.TestCase):
    def test_plain_text(self):
        self.assertEqual(slugify("Hello, World!"), "hello-world")

    def test_separators_collapse(self):
        self.assertEqual(slugify("one -- two"), "one-two")
""",
    "tests/test_words.py": """\
import unittest

from textkit.words import count_words


class WordsTest(unittest.TestCase):
    def test_words_are_counted(self):
        self.assertEqual(count_words("two words"), 2)
""",
}

_TESTS: Step = {"run": ["python3", "-m", "unittest", "-q"], "must": "pass"}
_OLD_SLUG = 'return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")'
_WRONG_SLUG = [
    'plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()',
    '    return plain.lower().replace(",", "").replace("!", "").replace(" ", "-")',
]
_RIGHT_SLUG = '    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")'
_ACCENTS_TEST = [
    "    def test_accents_are_taken_off(self):",
    '        self.assertEqual(slugify("Crème brûlée"), "creme-brulee")',
    "",
    "    def test_separators_collapse(self):",
]

_ACCENTS: list[Step] = [
    {"say": "slugify() drops accented letters. I take the accents off first."},
    {"pause": 0.5},
    {"replace": "textkit/slug.py", "old": "import re\n\n", "new": "import re\nimport unicodedata\n\n"},
    {"replace": "textkit/slug.py", "old": _OLD_SLUG, "new": _WRONG_SLUG},
    {"replace": "tests/test_slug.py", "old": _ACCENTS_TEST[-1], "new": _ACCENTS_TEST},
    {"run": ["python3", "-m", "unittest", "-q", "-k", "accents"], "must": "pass"},
    {"commit": "Take accents off letters in slugs"},
    {
        "pr": "Take accents off letters in slugs",
        "body": "Slugs keep their accented letters now, without accents.",
    },
    {"wait_message": [FAILING_TEXT, "AssertionError"]},
    {"say": "Separators do not collapse any more; I bring that back."},
    {"replace": "textkit/slug.py", "old": _WRONG_SLUG[1], "new": _RIGHT_SLUG},
    _TESTS,
    {"commit": "Collapse separators again"},
    {"push": True},
]

_QUESTION: list[Step] = [
    {"say": "What a word is with a hyphen in it is not for me to decide."},
    {
        "ask": "Is `well-known` one word or two?",
        "options": ["one word", "two words"],
        "then": {
            "one word": [
                {
                    "replace": "tests/test_words.py",
                    "old": '        self.assertEqual(count_words("two words"), 2)',
                    "new": [
                        '        self.assertEqual(count_words("two words"), 2)',
                        "",
                        "    def test_a_hyphen_does_not_part_words(self):",
                        '        self.assertEqual(count_words("a well-known fact"), 3)',
                    ],
                },
            ],
            "*": [
                {
                    "replace": "textkit/words.py",
                    "old": "text.split()",
                    "new": 'text.replace("-", " ").split()',
                },
                {
                    "replace": "tests/test_words.py",
                    "old": '        self.assertEqual(count_words("two words"), 2)',
                    "new": [
                        '        self.assertEqual(count_words("two words"), 2)',
                        "",
                        "    def test_a_hyphen_parts_words(self):",
                        '        self.assertEqual(count_words("a well-known fact"), 4)',
                    ],
                },
            ],
        },
    },
    _TESTS,
    {"commit": "Say what a hyphen does to words"},
    {"pr": "Say what a hyphen does to words", "body": "As answered."},
]

_STUCK: list[Step] = [
    {"say": "This needs some thought."},
    {"hang": True},
    {
        "write": "textkit/lines.py",
        "text": [
            '"""Lines of a text."""',
            "",
            "",
            "def count_lines(text):",
            '    """How many lines a text has."""',
            "    return len(text.splitlines())",
        ],
    },
    {"commit": "Count lines"},
    {"pr": "Count lines", "body": "I was stuck for a while."},
]

_DIRTY: list[Step] = [
    {
        "write": "textkit/title.py",
        "text": ['"""Titles."""', "", "", "def title(text):", "    raise NotImplementedError  # half way"],
    },
    {"replace": "README.md", "old": "A very small package", "new": "A small package"},
    {"say": "Half of it is written, nothing of it is committed."},
    {"wait": True},
    {"commit": "Titles, half way"},
    {"pr": "Titles, half way", "draft": True},
]

ISSUES = {
    1: (
        "Slugs lose accented letters",
        '`slugify("Crème brûlée")` gives `cr-me-br-l-e`; it should give `creme-brulee`.',
        _ACCENTS,
    ),
    2: (
        "Hyphenated words are counted somehow",
        "Nobody said whether `well-known` is one word. Decide, and write a test.",
        _QUESTION,
    ),
    3: (
        "Count lines",
        "`count_lines(text)` is missing. (The agent gets stuck here; interrupt it and tell it to continue.)",
        _STUCK,
    ),
    4: (
        "Capitalise titles",
        "`title(text)` is missing. (The agent leaves its work uncommitted here.)",
        _DIRTY,
    ),
}


def plain_issue(title: str, body: str) -> str:
    """The file of an issue: front matter and text."""
    return f"---\ntitle: {title}\nstate: open\n---\n{body}\n"


def parted(file: str) -> tuple[str, list[str], str]:
    """Title, labels and text of an issue's file that was made here."""
    head, _, body = file.removeprefix("---\n").partition("---\n")
    said = dict(line.split(": ", 1) for line in head.splitlines())
    return said["title"], said.get("labels", "").strip("[]").split(), body.rstrip("\n")


def issue(title: str, body: str, plan: list[Step]) -> str:
    """The file of an issue with the plan that the rehearsal agent plays."""
    steps = ",\n".join(f"  {json.dumps(step, ensure_ascii=False)}" for step in plan)
    head = f"---\ntitle: {title}\nstate: open\nlabels: [rehearsal]\n---\n"
    note = "A plan for the rehearsal agent follows; other agents may pass over it."
    return f"{head}{body}\n\n{note}\n\n```rehearsal\n[\n{steps}\n]\n```\n"


def batch_files(count: int) -> dict[str, str]:
    """A package with one line for each of `count` issues, far enough apart for git."""
    rows = "".join(f"    # issue {n}\n    {n}: 0,\n    # end of {n}\n" for n in range(1, count + 1))
    table = f'"""Squares, once all is merged."""\n\nLAST = 0\n\nSQUARES = {{\n{rows}}}\n'
    test = """\
import unittest

from squares.table import SQUARES


class TableTest(unittest.TestCase):
    def test_each_is_zero_or_right(self):
        for number, square in SQUARES.items():
            self.assertIn(square, (0, number * number))
"""
    return {
        ".gitignore": "__pycache__/\n",
        "squares/__init__.py": "",
        "squares/table.py": table,
        "tests/__init__.py": "",
        "tests/test_table.py": test,
    }


class BatchIssue(Protocol):
    """Makes one issue of a batch."""

    def __call__(self, number: int, *, conflicting: bool) -> str:
        """Its file: its own line of the table, and the common one if it is to conflict."""


def batch_issue(number: int, *, conflicting: bool) -> str:
    """One issue of a batch: its own line, and the common one if it is to conflict."""
    plan: list[Step] = [
        {
            "replace": "squares/table.py",
            "old": f"    {number}: 0,",
            "new": f"    {number}: {number * number},",
        }
    ]
    if conflicting:
        change = "import pathlib, re; p = pathlib.Path('squares/table.py'); "
        change += f"p.write_text(re.sub('(?m)^LAST = .*', 'LAST = {number}', p.read_text()))"
        plan.append({"run": ["python3", "-c", change], "must": "pass"})
    plan += [{"commit": f"Square {number}"}, {"pr": f"Square {number}"}]
    return issue(f"Square {number}", f"Write the square of {number} into the table.", plan)
