"""The sandbox's issues for a real agent: the same tasks, with a plan for the model server in each.

A rule's steps are played when the last message to the agent fits: the fix of issue 1 only if the failing
assertion and its file are really in it. Steps name what is done, not the tool: each agent has tools of its own.
"""

from __future__ import annotations

import json
from typing import Any

from bot.demo.sandbox_files import FAILING_TEXT, ISSUES, plain_issue

Step = dict[str, Any]

_SLUG, _TEST, _WORDS, _WORDS_TEST = (
    "textkit/slug.py",
    "tests/test_slug.py",
    "textkit/words.py",
    "tests/test_words.py",
)
_OLD_SLUG = '    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")\n'
_WRONG_SLUG = """\
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return plain.lower().replace(",", "").replace("!", "").replace(" ", "-")
"""
_RIGHT_SLUG = _WRONG_SLUG.replace(
    'return plain.lower().replace(",", "").replace("!", "").replace(" ", "-")',
    'return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")',
)
_ACCENTS_TEST = """\
    def test_accents_are_taken_off(self):
        self.assertEqual(slugify("Crème brûlée"), "creme-brulee")

    def test_separators_collapse(self):
"""
_ALL_TESTS: Step = {"sh": "python3 -m unittest -q"}


def _edit(path: str, old: str, new: str) -> Step:
    return {"edit": path, "old": old, "new": new}


def _read(*paths: str) -> list[Step]:
    return [{"read": path} for path in paths]


def _ends(title: str, body: str, words: str) -> list[Step]:
    return [
        {"sh": f'git add --all && git commit -q -m "{title}"'},
        {"sh": f'ao pr create --title "{title}" --body "{body}"'},
        {"say": words},
    ]


_ACCENTS = [
    {
        "when": "AssertionError",
        "all": [FAILING_TEXT, r"tests/test_slug\.py|tests\.test_slug"],
        "steps": [
            {
                **_read(_SLUG)[0],
                "text_before": "Separators do not collapse any more; I bring that back.",
            },
            _edit(_SLUG, _WRONG_SLUG, _RIGHT_SLUG),
            _ALL_TESTS,
            {"sh": 'git add --all && git commit -q -m "Collapse separators again"'},
            {"sh": "git push"},
            {"say": "The separators collapse again, and all tests pass."},
        ],
    },
    {
        "when": "Slugs lose accented letters",
        "steps": [
            {
                **_read(_SLUG)[0],
                "text_before": "slugify() drops accented letters. I take the accents off first.",
            },
            _read(_TEST)[0],
            _edit(_SLUG, "import re\n\n", "import re\nimport unicodedata\n\n"),
            _edit(_SLUG, _OLD_SLUG, _WRONG_SLUG),
            _edit(_TEST, "    def test_separators_collapse(self):\n", _ACCENTS_TEST),
            {"sh": "python3 -m unittest -q -k accents"},
            *_ends(
                "Take accents off letters in slugs",
                "Slugs keep their accented letters now, without accents.",
                "The pull request is open.",
            ),
        ],
    },
]
_QUESTION = [
    {
        "when": "Hyphenated words",
        "steps": [
            {"ask": "Is `well-known` one word or two?", "options": ["one word", "two words"]},
            *_read(_WORDS, _WORDS_TEST),
            _edit(
                _WORDS_TEST,
                '        self.assertEqual(count_words("two words"), 2)\n',
                '        self.assertEqual(count_words("two words"), 2)\n\n'
                "    def test_a_hyphen_does_not_part_words(self):\n"
                '        self.assertEqual(count_words("a well-known fact"), 3)\n',
            ),
            _ALL_TESTS,
            *_ends("Say what a hyphen does to words", "As answered.", "Done as answered."),
        ],
    }
]
_STUCK = [{"when": "Count lines", "steps": [{"hang": 3600}]}]
_DIRTY = [
    {
        "when": "Capitalise titles",
        "steps": [
            {
                "write": "textkit/title.py",
                "text": '"""Titles."""\n\n\ndef title(text):\n    raise NotImplementedError\n',
            },
            {"say": "Half of it is written, nothing of it is committed."},
        ],
    }
]
_RULES = {1: _ACCENTS, 2: _QUESTION, 3: _STUCK, 4: _DIRTY}


def real_issue(title: str, body: str, plan: Step | list[Step]) -> str:
    """The file of an issue with a plan for the model server."""
    text = json.dumps(plan, ensure_ascii=False)
    words = "A plan for the demo's model server follows."
    return plain_issue(title, f"{body}\n\n{words}\n\n```model-plan\n{text}\n```")


def real_batch_issue(number: int, *, conflicting: bool) -> str:
    """One issue of a batch: its own line, and the common one if it is to conflict."""
    title, table = f"Square {number}", "squares/table.py"
    steps = [*_read(table), _edit(table, f"    {number}: 0,\n", f"    {number}: {number * number},\n")]
    if conflicting:
        steps.append(_edit(table, "LAST = 0\n", f"LAST = {number}\n"))
    steps += _ends(title, f"The square of {number}.", "The pull request is open.")
    rules = [{"when": title, "steps": steps}]
    return real_issue(
        title,
        f"Write the square of {number} into the table.",
        {"rules": rules, "otherwise": [{"say": "Good."}]},
    )


def _text(number: int) -> str:
    title, text, _ = ISSUES[number]
    return real_issue(title, text, {"rules": _RULES[number]})


REAL_ISSUES: dict[int, str] = {number: _text(number) for number in ISSUES}
"""The files of the issues."""
