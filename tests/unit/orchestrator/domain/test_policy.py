"""Rules about calls: what they match, who wins, and what gets past none of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.activity import ToolCall, Verdict
from orchestrator.domain.policy import (
    Judgement,
    Pattern,
    Policy,
    Rule,
    described,
    exactly,
    judge,
    parse,
)
from orchestrator.errors import BadInput


def policy(*, allow: str = "", ask: str = "", deny: str = "") -> Policy:
    """Rules, each list on lines."""

    def rules(verdict: Verdict, text: str) -> tuple[Rule, ...]:
        return tuple(parse(verdict, line) for line in text.splitlines())

    return Policy(
        allow=rules(Verdict.ALLOW, allow), ask=rules(Verdict.ASK, ask), deny=rules(Verdict.DENY, deny)
    )


def shell(line: str) -> ToolCall:
    return ToolCall(tool="Bash", argument=line, shell=True)  # noqa: S604 - only a description of a call


ALLOWS = policy(allow="Bash(git *)\nBash(npm test*)\nBash(cd *)")
DENIES = policy(allow="Bash", deny="Bash(rm -rf*)\nBash(git push --force*)\nBash(curl *)")


@pytest.mark.parametrize(
    ("pattern", "text", "holds"),
    [
        ("git status", "git status", True),
        ("git status", "git status -s", False),
        ("git *", "git status", True),
        ("git *", "git", False),
        ("git *", "Git status", False),
        ("*.py", "a/b.py", True),
        ("*.py", "a/b.pyc", False),
        ("a*b*c", "a-b-b-c", True),
        ("ab*ba", "aba", False),
        ("*", "", True),
        ("a?[b]", "a?[b]", True),
        ("a?[b]", "axb", False),
        (r"a\*", "a*", True),
        (r"a\*", "ab", False),
        (r"a\\*", r"a\*", True),
        ("a*", "a\nb", True),
    ],
)
def test_star_is_any_text_and_everything_else_is_itself(pattern: str, text: str, *, holds: bool) -> None:
    assert Pattern.of(pattern).matches(text) is holds


@pytest.mark.parametrize(
    "text", ["", "(x)", "Bash(", "Bash)x", "Ba sh(x)", "Bash(x) y", "Bash" + "(" + "x" * 20_000 + ")"]
)
def test_what_is_no_rule_is_refused_with_how_to_write_one(text: str) -> None:
    with pytest.raises(BadInput, match=r"Tool\(pattern\)"):
        parse(Verdict.DENY, text)


def test_rule_says_its_own_words() -> None:
    assert str(parse(Verdict.DENY, " Bash(git push --force*) ")) == "deny Bash(git push --force*)"
    assert str(parse(Verdict.ASK, "Edit")) == "ask Edit"


@pytest.mark.parametrize(
    "line",
    [
        "git status",
        "  git status  ",
        "git status && npm test -- -k 'a && b'",
        "cd src; git log | git shortlog\ngit diff",
        "git log 2>/dev/null",
        "git log 2>&1 | git shortlog >/dev/null 2>&1",
        'git commit -m "a; b | c & d"',
        r"git log a\;b",
        "git log $HOME ${HOME}",
    ],
)
def test_command_line_is_allowed_when_each_of_its_commands_is(line: str) -> None:
    assert judge(ALLOWS, shell(line)).verdict is Verdict.ALLOW


ATTACKS = [
    "git status; rm -rf /",
    "git status && rm -rf /",
    "git status || rm -rf /",
    "git status | rm -rf /",
    "git status & rm -rf /",
    "git status |& rm -rf /",
    "git status\nrm -rf /",
    "git status $(rm -rf /)",
    'git status "$(rm -rf /)"',
    "git status `rm -rf /`",
    'git status "`rm -rf /`"',
    "git status <(rm -rf /)",
    "git status >(rm -rf /)",
    "git status #'\nrm -rf / #'",
    "git status ''#'; rm -rf / #",
    "git status &>/dev/null rm -rf /",
    "(git status; rm -rf /)",
    "{ git status; rm -rf /; }",
    "git status() { rm -rf /; }; git status",
    "git \\\nstatus; rm -rf /",
    "git log $'\\'; rm -rf / #'",
    "git log ${x:-`rm -rf /`}",
    'git log "${x:-$(rm -rf /)}"',
    "git log 'a'\\'; rm -rf / ''",
    'git log "\\"" ; rm -rf / "',
    "git log <<EOF\n`rm -rf /`\nEOF",
    "git log <<'EOF'\n'\nEOF\nrm -rf /\n: <<'EOF'\n'\nEOF",
]


@pytest.mark.parametrize("line", ATTACKS)
def test_nothing_hides_behind_an_allowed_command(line: str) -> None:
    assert judge(ALLOWS, shell(line)) == Judgement()


@pytest.mark.parametrize("line", ATTACKS)
def test_nothing_hides_a_denied_command(line: str) -> None:
    assert judge(DENIES, shell(line)).words == "deny Bash(rm -rf*)"


@pytest.mark.parametrize(
    "line",
    [
        "git log > /etc/passwd",
        "git log >> x",
        "git log >| x",
        "git log &> x",
        "git log >& x",
        "git log <> x",
        "git log < x",
        "git log <<< x",
        "git log 2>/dev/null/../x",
        "git log >/dev/nullx",
        "PATH=/tmp git status",
        "git log 'unfinished",
        'git log "unfinished',
        "git log \\",
        "git log )",
        "git log $[a[$(x)]]",
        "",
        " ",
        "git log " + "x" * 40_000,
        "git log;" * 600,
        "/opt/git status",
        "\u00a0git status",
        "git status;\vgit status",
        "GIT status",
    ],
)
def test_what_is_not_wholly_understood_is_not_allowed(line: str) -> None:
    assert judge(ALLOWS, shell(line)) == Judgement()


def test_rule_that_is_the_exact_line_allows_it_whatever_is_in_it() -> None:
    line = "make > log.txt && echo $(date) | tee 'a"
    allowed = policy(allow=f"Bash({line})")
    assert judge(allowed, shell(line)).verdict is Verdict.ALLOW
    assert judge(allowed, shell(f"{line} b")) == Judgement()
    assert judge(allowed, shell(f"cd x; {line}")) == Judgement()


@pytest.mark.parametrize("rule", ["Bash", "Bash(*)", "*"])
def test_rule_for_every_use_of_a_tool_needs_no_reading(rule: str) -> None:
    assert judge(policy(allow=rule), shell("echo $(x) > y 'z")).verdict is Verdict.ALLOW


@pytest.mark.parametrize(
    "line",
    [
        "rm -rf /",
        "  rm   -rf\t/",
        "'rm' -rf /",
        'r"m" -rf /',
        "r\\m -rf /",
        "\\rm -rf /",
        "/bin/rm -rf /",
        "A=1 B='2 3' rm -rf /",
        "env rm -rf /",
        "env -i A=1 rm -rf /",
        "env -S 'rm -rf /'",
        "sudo rm -rf /",
        "sudo -u root rm -rf /",
        "sudo -n -u root env A=1 nohup rm -rf /",
        "nohup rm -rf / &",
        "time -p rm -rf /",
        "command rm -rf /",
        "exec -a x rm -rf /",
        "timeout 5s rm -rf /",
        "nice -n 10 rm -rf /",
        "xargs -I {} rm -rf {}",
        "find . -name x -exec rm -rf {} +",
        "sh -c 'rm -rf /'",
        "bash -lc 'cd x && rm -rf /'",
        "bash -o pipefail -c 'rm -rf /'",
        "sudo bash -c \"sh -c 'rm -rf /'\"",
        "/bin/sh -ec 'rm -rf /'",
        "eval rm -rf /",
        "eval 'rm' '-rf' /",
        "trap 'rm -rf /' EXIT",
        "if true; then rm -rf /; fi",
        "while ! rm -rf /; do :; done",
        "! rm -rf /",
        "> x rm -rf /",
        "2>&1 rm -rf /",
        "rm 2>/dev/null -rf /",
        "echo x`rm -rf /`",
        'echo "a $(echo "b $(rm -rf /)")"',
        "x=''; ${x:-rm -rf /}",
        "echo 'unfinished; rm -rf /",
        "coproc rm -rf /",
        "a=(x $(rm -rf /))",
        "echo )rm -rf /",
        "sudo " * 100 + "rm -rf /",
        "echo " + "x" * 40_000 + "; rm -rf /",
        "sh -c " + "'" + "$(" * 30 + "rm -rf /" + ")" * 30 + "'",
    ],
)
def test_denied_command_is_found_wherever_it_stands(line: str) -> None:
    found = judge(DENIES, shell(line))
    assert (found.verdict, found.words) == (Verdict.DENY, "deny Bash(rm -rf*)")


@pytest.mark.parametrize(
    "line",
    [
        "echo rm -rf /",
        "git commit -m 'no rm -rf here'",
        "charm -rf",
        "git push",
        "ls -- rm",
        "echo 'sh -c rm -rf'",
    ],
)
def test_words_that_only_mention_a_command_are_not_denied(line: str) -> None:
    assert judge(DENIES, shell(line)).verdict is Verdict.ALLOW


def test_deny_wins_over_ask_and_ask_over_allow() -> None:
    rules = policy(allow="Bash(git*)", ask="Bash(git push*)", deny="Bash(git push --force*)")
    assert judge(rules, shell("git status")).verdict is Verdict.ALLOW
    assert judge(rules, shell("git push")) == Judgement(verdict=Verdict.ASK, words="ask Bash(git push*)")
    assert judge(rules, shell("git status; git push --force")).verdict is Verdict.DENY
    assert judge(rules, shell("ls")) == Judgement()


def test_each_part_may_be_allowed_by_another_rule_and_all_are_named() -> None:
    assert judge(ALLOWS, shell("cd x && git log")).words == "allow Bash(cd *), allow Bash(git *)"


@pytest.mark.parametrize(
    ("path", "verdict"),
    [
        ("/work/src/a.py", Verdict.ALLOW),
        ("/work/src/../../etc/passwd", None),
        ("/work/src/secret/a", Verdict.DENY),
        ("/work//src/./secret/a", Verdict.DENY),
        ("/work/src/x/../secret/a", Verdict.DENY),
        ("/../work/src/secret/a", Verdict.DENY),
        ("/etc/passwd", None),
        ("/work/src/a; rm -rf /", Verdict.ALLOW),
    ],
)
def test_path_cannot_climb_out_of_what_is_allowed_or_into_what_is_not_denied(
    path: str, verdict: Verdict | None
) -> None:
    rules = policy(allow="Edit(/work/src/*)", deny="Edit(/work/src/secret/*)")
    assert judge(rules, ToolCall(tool="Edit", argument=path)).verdict is verdict


def test_rule_is_about_its_own_tool_and_a_star_about_any() -> None:
    call = ToolCall(tool="WebFetch", argument="https://example.org/x")
    assert judge(policy(deny="Bash(https*)"), call) == Judgement()
    assert judge(policy(deny="*(https://example.org/*)"), call).verdict is Verdict.DENY
    assert policy(ask="Edit", deny="*(x)", allow="Bash").judged == {"Edit", "*"}


def test_rule_made_of_a_call_allows_that_call_alone() -> None:
    call = shell(r" grep 'a\*b' *.py (x) ")
    rules = Policy(allow=(exactly(call),))
    assert judge(rules, call).verdict is Verdict.ALLOW
    assert judge(rules, shell(r"grep 'a\*b' secret.py (x)")) == Judgement()
    assert judge(Policy(allow=(exactly(shell("")),)), shell("ls")) == Judgement()


def test_secrets_in_a_call_and_in_a_rule_are_not_shown() -> None:
    call = shell("curl -H 'Authorization: Bearer abcdefghijklmnop0123456789'")
    assert "abcdefghijklmnop" not in described(call)
    assert "abcdefghijklmnop" not in judge(Policy(allow=(exactly(call),)), call).words


COMMANDS = st.lists(
    st.sampled_from(
        [
            "git",
            " ",
            "rm",
            "-rf",
            "x",
            ";",
            "&&",
            "|",
            "&",
            "\n",
            "'",
            '"',
            "\\",
            "$(",
            ")",
            "(",
            "`",
            "#",
            ">",
            "<",
            "<<",
            "sudo",
            "sh -c",
            "A=1",
            "{",
            "}",
            "${",
            "$",
            "*",
        ]
    ),
    max_size=14,
).map("".join)
RULES = st.sampled_from(
    ["Bash", "Bash(*)", "Bash(git*)", "Bash(rm*)", "Bash(*x)", "Bash(x)", "*(sudo*)", "Edit", r"Bash(\*)"]
)
LISTS = st.lists(RULES, max_size=4).map("\n".join)


@given(line=COMMANDS, allow=LISTS, ask=LISTS, deny=LISTS, more=RULES)
def test_another_rule_that_denies_never_allows_more(
    line: str, allow: str, ask: str, deny: str, more: str
) -> None:
    before = judge(policy(allow=allow, ask=ask, deny=deny), shell(line)).verdict
    after = judge(policy(allow=allow, ask=ask, deny=f"{deny}\n{more}".strip()), shell(line)).verdict
    assert after is before or after is Verdict.DENY


@given(line=COMMANDS, allow=LISTS, ask=LISTS, deny=RULES)
def test_deny_wins_whatever_else_there_is(line: str, allow: str, ask: str, deny: str) -> None:
    if judge(policy(deny=deny), shell(line)).verdict is Verdict.DENY:
        assert judge(policy(allow=allow, ask=ask, deny=deny), shell(line)).verdict is Verdict.DENY


@given(line=COMMANDS)
def test_what_a_gapped_rule_allows_the_same_rule_would_deny(line: str) -> None:
    """Whatever an allow rule is able to see, a deny rule of the same words sees too."""
    if judge(policy(allow="Bash(git*)"), shell(line)).verdict is Verdict.ALLOW:
        assert judge(policy(deny="Bash(git*)"), shell(line)).verdict is Verdict.DENY


@given(argument=st.text(max_size=60))
def test_rule_made_of_any_call_allows_it(argument: str) -> None:
    assert judge(Policy(allow=(exactly(shell(argument)),)), shell(argument)).verdict is Verdict.ALLOW


@pytest.mark.parametrize(
    "line",
    [
        "sudo -a " * 2000,
        "A=1 " * 5000,
        "$(" * 5000,
        "`" * 5001,
        "a;" * 15_000,
        "\\" * 30_000,
        "env x " * 3000,
    ],
)
def test_long_lines_are_judged_in_no_time(line: str) -> None:
    import time

    begin = time.process_time()
    judge(policy(allow="Bash(*a*b*c*d*)", deny="Bash(*x*y*z*w*)"), shell(line + "rm"))
    assert time.process_time() - begin < 1.0
