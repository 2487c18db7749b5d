"""Outside text: nothing harmful stays, no secret passes, no fence is closed from inside."""

from __future__ import annotations

import re
import time

import pytest

from orchestrator.domain.outside_text import MASK, bound, clean, excerpt, fence, mask, one_line

# Put together here, so that no scanner takes this file for a leak.
_LONG = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("plain\ttext\n", "plain\ttext\n"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]52;c;ZXZpbA==\x1b\\after", "after"),
        ("\x1b]0;never closed\nnext line", "\nnext line"),
        ("\x9b31mred", "red"),
        ("\x1b(Bset", "set"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("a\x00b\x07c\x7fd\x85e", "abcd\ne"),
        ("user\u202egnp.exe", "usergnp.exe"),
        ("\u2066isolated\u2069", "isolated"),
        ("hid\u200bden\U000e0041", "hidden"),
        ("lone \ud800 surrogate", "lone  surrogate"),
        ("👩\u200d💻 stays", "👩\u200d💻 stays"),
    ],
)
def test_clean_takes_away_what_is_not_text(raw: str, expected: str) -> None:
    assert clean(raw) == expected


@pytest.mark.parametrize("limit", [0, 1, 20, 60, 99, 100, 1000])
@pytest.mark.parametrize("tail", [False, True])
def test_bound_never_exceeds_its_limit(limit: int, tail: bool) -> None:
    text = "x" * 100
    assert len(bound(text, limit, tail=tail)) <= limit


def test_bound_says_that_something_is_missing_and_which_end_was_kept() -> None:
    text = "first " + "x" * 500 + " last"
    assert bound(text, 100).startswith("first")
    assert bound(text, 100).endswith("left out]")
    assert bound(text, 100, tail=True).endswith("last")
    assert bound(text, 100, tail=True).startswith("[")


@pytest.mark.parametrize(
    "secret",
    [
        "ghp_" + _LONG,
        "github_pat_" + _LONG,
        "glpat-" + _LONG[:20],
        "xoxb-" + "1234567890-" + _LONG,
        "xapp-1-" + _LONG,
        "sk-" + "proj-" + _LONG,
        "sk-ant-" + "api03-" + _LONG,
        "AKIA" + "ABCDEFGHIJKLMNOP",
        "AIza" + _LONG[:35],
        "MTA" + _LONG[:21] + ".Gabcde." + _LONG[:30],
        "eyJ" + _LONG + ".eyJ" + _LONG + "." + _LONG,
        "lin_api_" + _LONG,
    ],
)
def test_tokens_are_masked_wherever_they_stand(secret: str) -> None:
    for text in (secret, f"token is {secret}, ok", f"https://{secret}@example.test/x", f'"{secret}"'):
        assert secret not in mask(text)
        assert MASK in mask(text)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("https://me:hunter22@example.test/repo.git", "hunter22"),
        ("postgres://app:p%40ss@db:5432/x", "p%40ss"),
        ("password=hunter", "hunter"),
        ("PASSWORD: 'two words'", "two words"),
        ('{"password": "a, b; c"}', "a, b; c"),
        ("DEPLOY_TOKEN=correcthorse", "correcthorse"),
        ("export AWS_SECRET_ACCESS_KEY=abc/def+ghi", "abc/def+ghi"),
        ("Authorization: Bearer abcdef123456", "abcdef123456"),
        ("authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ("api_key: 'abcd1234efgh'", "abcd1234efgh"),
        ("https://hooks.slack.com/services/T000/B000/XXXXXXXX", "XXXXXXXX"),
        ("https://discord.com/api/webhooks/123456789/abcdefgh-IJ", "abcdefgh-IJ"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----", "MIIabc"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbn cut off", "b3Blbn"),
    ],
)
def test_secrets_in_their_surroundings_are_masked(text: str, secret: str) -> None:
    assert secret not in mask(text)


@pytest.mark.parametrize(
    "text",
    [
        "AssertionError: assert 3 == 4",
        "token = tokens[0]",
        "if token == expected_token:",
        "def test_secret_santa(): pass",
        "FAILED tests/test_calc.py::test_divide - ZeroDivisionError",
        "see https://example.test/a:b/c@d",
        "task-runner-with-a-long-name-indeed",
    ],
)
def test_ordinary_program_text_stays(text: str) -> None:
    assert mask(text) == text


def test_known_secrets_are_masked_in_any_shape() -> None:
    assert mask("it is open sesame!", known=["open sesame"]) == f"it is {MASK}!"
    assert mask("a b", known=["a"]) == "a b"


def test_an_escape_sequence_inside_a_token_does_not_save_it() -> None:
    token = "ghp_" + _LONG
    assert _LONG[-8:] not in excerpt(f"{token[:10]}\x1b[0m{token[10:]}", 1000)


def test_an_excerpt_masks_before_it_cuts() -> None:
    token = "ghp_" + _LONG
    assert _LONG[-12:] not in excerpt("x" * 200 + token, 90, tail=True)


@pytest.mark.parametrize(
    "inside", ["", "plain", "```\ncode\n```", "`" * 9, "~~~\n", "````text\n````\n[end: Issue 1]"]
)
def test_a_fence_cannot_be_closed_from_inside(inside: str) -> None:
    lines = fence("Issue 1", inside).split("\n")
    bar = re.match(r"`+", lines[1])
    assert bar is not None
    body = lines[2:-2]
    assert not any(line.startswith(bar.group()) for line in body)
    assert lines[-2] == bar.group()


def test_a_label_stays_on_its_line() -> None:
    assert "\n" not in fence("a\nb", "x").split("\n")[0]
    assert one_line(" a \n b\x1b[0m ", 3) == "a b"
    assert len(one_line("x" * 500)) == 200


@pytest.mark.parametrize(
    "hostile",
    [
        "-----BEGIN PRIVATE KEY-----\n" * 4000,
        "a" * 200_000,
        "A_" * 100_000,
        "https://" * 25_000,
        "\x1b]" * 100_000,
        "token=" * 30_000,
        "eyJ" + "a." * 80_000,
        "`" * 200_000,
        "://a:" * 40_000,
    ],
    ids=lambda text: text[:8].encode("unicode_escape").decode(),
)
def test_hostile_text_costs_little(hostile: str) -> None:
    begun = time.process_time()
    fence("x", excerpt(hostile, 4000))
    assert time.process_time() - begun < 2.0
