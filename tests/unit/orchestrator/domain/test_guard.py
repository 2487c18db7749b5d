"""What of a push waits for a person, and what a release covers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.guard import (
    MOST_FINDINGS,
    MOST_SHOWN,
    Finding,
    FindingKind,
    Guard,
    findings,
    is_guarded,
    matches,
    unreleased,
)
from orchestrator.domain.outside_text import MASK
from orchestrator.domain.pushed_diff import FileStatus, PushedDiff, PushedFile

HUNK = "@@ -1 +1 @@\n-old\n+new\n"
# Made when it runs, so that no file of ours holds anything of a token's shape.
TOKEN = "gh" + "p_" + "aB3dE5fG7hI9jK1lM2nO4pQ6rS8tU0vW1xY2"
KEY = "-----BEGIN " + "RSA PRIVATE KEY-----\n" + "MIIEpAIBAAKCAQEA7h3Kq9fZ2pLx8vTn0wYb5sRd\n" * 3


def file(path: str, **fields: object) -> PushedFile:
    made = PushedFile(path=path, status=FileStatus.MODIFIED, mode="100644", old_mode="100644", hunks=HUNK)
    return replace(made, **fields)  # type: ignore[arg-type]


def found(
    *files: PushedFile, guard: Guard | None = None, passing: str = "", messages: str = ""
) -> tuple[Finding, ...]:
    diff = PushedDiff(base="b" * 40, head="a" * 40, files=files, passing=passing, messages=messages)
    return findings(guard or Guard(), diff)


def brings(path: str, *lines: str) -> PushedFile:
    return file(path, hunks="@@ -0,0 +1 @@\n" + "\n".join(f"+{line}" for line in lines))


@pytest.mark.parametrize(
    "path",
    [
        ".github/workflows/ci.yml",
        ".github/CODEOWNERS",
        ".github",
        ".GitHub/Workflows/x.yaml",
        ".gitlab-ci.yml",
        ".circleci/config.yml",
        "azure-pipelines.yml",
        "Jenkinsfile",
        "deploy/jenkinsfile",
        ".travis.yml",
        "bitbucket-pipelines.yml",
        ".buildkite/pipeline.yml",
        ".drone.yml",
        "CODEOWNERS",
        "docs/CODEOWNERS",
        ".gitattributes",
        "src/deep/.gitattributes",
        ".gitmodules",
        ".claude/settings.json",
        "packages/a/.claude/skills/x.md",
        ".mcp.json",
        "AGENTS.md",
        "src/agents.MD",
        "CLAUDE.md",
        "CLAUDE\u200b.md",
        "agent-orchestrator.yaml",
        "sub/agent-orchestrator.yml",
    ],
)
def test_what_runs_code_or_gives_orders_elsewhere_is_guarded(path: str) -> None:
    assert is_guarded(Guard(), path)
    [one] = found(file(path))
    assert (one.kind, one.hunks.strip()) == (FindingKind.PATH, HUNK.strip())


@pytest.mark.parametrize(
    "path",
    [
        "src/main.py",
        "docs/github/ci.yml",
        "src/.github/workflows/ci.yml",  # nobody reads it there
        "src/.travis.yml.md",
        "CLAUDE.md.txt",
        "my-agents.md",
        "README.md",
        "github/workflows/ci.yml",
    ],
)
def test_what_nobody_reads_is_not(path: str) -> None:
    assert not is_guarded(Guard(), path)
    assert found(file(path)) == ()


def test_a_project_adds_and_frees_paths() -> None:
    guard = Guard(paths=("infra/**", "*.tf"), allow=("AGENTS.md", ".github/ISSUE_TEMPLATE/**", "infra/x"))
    for path in ("infra/a/b.yml", "main.tf", "deep/er/main.TF", "infra/x"):
        assert is_guarded(guard, path), path
    for path in ("AGENTS.md", "src/AGENTS.md", ".github/ISSUE_TEMPLATE/bug.md"):
        assert not is_guarded(guard, path), path
    assert is_guarded(guard, ".github/workflows/ci.yml")


@pytest.mark.parametrize(
    ("pattern", "path", "is_for"),
    [
        ("a/*/c", "a/b/c", True),
        ("a/*/c", "a/b/d/c", False),
        ("a/**/c", "a/c", True),
        ("a/**/c", "a/b/d/c", True),
        ("**/x.yml", "x.yml", True),
        ("/x.yml", "sub/x.yml", False),
        ("a?.txt", "ab.txt", True),
        ("vendor", "vendor/deep/file", True),
        ("vendor/", "vendor/file", True),
        ("a/b", "a/bc", False),
        ("a.b", "axb", False),
    ],
)
def test_patterns(pattern: str, path: str, is_for: bool) -> None:
    assert matches(pattern, path) is is_for


def test_renames_into_and_out_of_guarded_places_are_found() -> None:
    away = file("ci.yml", old_path=".github/workflows/ci.yml", status=FileStatus.RENAMED, hunks="")
    into = file(".github/workflows/x.yml", old_path="x.yml", status=FileStatus.RENAMED, hunks="")
    assert [one.words for one in found(away, into)] == [
        ".github/workflows/ci.yml becomes ci.yml",
        "x.yml becomes .github/workflows/x.yml",
    ]


def test_words_say_what_became_of_it() -> None:
    gone = file("CODEOWNERS", status=FileStatus.DELETED, mode="")
    mode = file("CLAUDE.md", mode="100755", blob="x", old_blob="x", hunks="")
    link = file(".github", status=FileStatus.ADDED, mode="120000", old_mode="", hunks="@@\n+docs\n")
    assert [one.words for one in found(gone, mode, link)] == [
        "CODEOWNERS is deleted",
        "CLAUDE.md has mode 755 instead of 644",
        ".github is a symbolic link now",
    ]


def test_a_release_is_for_exactly_these_hunks() -> None:
    released = {one.fingerprint for one in found(file("CODEOWNERS"))}
    assert unreleased(found(file("CODEOWNERS"), file("src/more.py")), released) == ()
    changed = found(file("CODEOWNERS", hunks=HUNK.replace("new", "newer")))
    elsewhere = found(file("CODEOWNERS", hunks=HUNK.replace("@@ -1 +1 @@", "@@ -9 +9 @@")))
    executable = found(file("CODEOWNERS", mode="100755"))
    other = found(file("docs/CODEOWNERS"))
    for one in (changed, elsewhere, executable, other):
        assert unreleased(one, released) == one


def test_what_could_not_be_read_whole_is_named_by_its_contents() -> None:
    one, two = (found(file(".github/x", cut=True, blob=blob, old_blob="o")) for blob in "ab")
    assert {f.fingerprint for f in one}.isdisjoint(f.fingerprint for f in two)
    one, two = (found(file(".github/x", binary=True, blob=blob)) for blob in "ab")
    assert unreleased(two, {f.fingerprint for f in one}) == two


def test_large_pushes_wait_and_a_release_holds_until_they_have_doubled() -> None:
    guard = Guard(max_files=2, max_lines=100, max_file_bytes=1000)
    few = [file(f"{n}.py", added=10) for n in range(2)]
    assert found(*few, guard=guard) == ()
    many = found(*(file(f"{n}.py") for n in range(3)), guard=guard)
    assert [one.words for one in many] == ["it changes 3 files (maxFiles: 2); a release holds up to 4"]
    released = {one.fingerprint for one in many}
    assert unreleased(found(*(file(f"{n}.py") for n in range(4)), guard=guard), released) == ()
    assert unreleased(found(*(file(f"{n}.py") for n in range(5)), guard=guard), released)
    [lines] = found(file("a.py", added=60, deleted=41), guard=guard)
    assert "101 lines (maxLines: 100)" in lines.words
    [large] = found(file("a.bin", binary=True, size=1001, blob="x"), guard=guard)
    assert large.words == "a.bin has 1,001 bytes (maxFileBytes: 1,000)"
    [unread] = found(file("a.py", cut=True))
    assert unread.words == "a.py changes more than could be looked through"


def test_a_token_in_an_added_line_waits_and_is_never_shown() -> None:
    [one] = found(brings("src/config.py", "a = 1", f'TOKEN = "{TOKEN}"'))
    assert (one.kind, one.path) == (FindingKind.SECRET, "src/config.py")
    assert one.words == "src/config.py holds what looks like a secret (ghp_…)"
    assert TOKEN not in str(one)
    assert MASK in one.hunks
    assert "a = 1" not in one.hunks


def test_the_same_token_released_passes_elsewhere_and_another_does_not() -> None:
    released = {one.fingerprint for one in found(brings("a", TOKEN))}
    assert unreleased(found(brings("a", "x", TOKEN)), released) == ()
    assert unreleased(found(brings("a", TOKEN[:-1] + "9")), released)


def test_a_private_key_over_several_lines_is_one_finding() -> None:
    [one] = found(brings("id_rsa", *KEY.split("\n")))
    assert one.words == "id_rsa holds a private key"
    assert "MIIEpA" not in str(one)


@pytest.mark.parametrize(
    "line",
    [
        "gh" + "p_" + "x" * 36,
        "AK" + "IAIOSFODNN7EXAMPLE",
        "class sk-toggleable__label-arrow:before",
        "sk-estimator-html-representation",
        'key = "sk-your-api-key-goes-right-here-1"',
        "-----BEGIN " + "RSA PRIVATE KEY-----",
        "password = hunter2",
        'API_KEY = os.environ["API_KEY"]',
        "postgres://user:password@localhost/db",
        "xGH" + "P_" + "a1" * 18,
    ],
)
def test_what_only_looks_like_a_token_does_not_wait(line: str) -> None:
    assert found(brings("a.py", line)) == ()


def test_a_token_that_is_taken_away_waits_only_where_a_commit_on_the_way_brings_it() -> None:
    assert found(file("a.py", hunks=f"@@ -1 +0,0 @@\n-{TOKEN}\n")) == ()
    [one] = found(file("a.py"), passing=f"x\n{TOKEN}\n")
    assert one.words.startswith("a commit on the way holds what looks like a secret")
    assert len(found(brings("a.py", TOKEN), passing=TOKEN)) == 1


def test_a_token_in_a_commits_message_or_a_files_name_waits_and_is_not_shown() -> None:
    [said] = found(file("a.py"), messages=f"Try it\n\nwith {TOKEN}\n")
    assert said.words.startswith("a commit's message holds what looks like a secret")
    [named] = found(file(f"keys/{TOKEN}.txt"))
    assert named.words.startswith("a file's name holds what looks like a secret")
    guarded = found(file(f".github/{TOKEN}"))
    assert len(guarded) == 2
    assert all(TOKEN not in f"{one.words} {one.path}" for one in (said, named, *guarded))


@pytest.mark.parametrize("path", ["GEMINI.md", "web/.husky/pre-commit", ".devcontainer/devcontainer.json"])
def test_what_runs_by_itself_where_it_is_checked_out_waits(path: str) -> None:
    assert [one.kind for one in found(file(path))] == [FindingKind.PATH]


def test_secrets_can_be_left_to_others() -> None:
    assert found(brings("a.py", TOKEN), passing=TOKEN, guard=Guard(secrets=False)) == ()


@pytest.mark.parametrize(
    ("path", "target", "out"),
    [
        ("a/b/link", "../../c", False),
        ("a/b/link", "../../../c", True),
        ("link", "/etc/passwd", True),
        ("link", "docs/readme", False),
        ("link", "..", True),
        ("a/link", "../.git/hooks/x", True),
        ("link", "C:\\x", True),
    ],
)
def test_a_link_that_leads_out_waits(path: str, target: str, out: bool) -> None:
    link = file(path, status=FileStatus.ADDED, mode="120000", old_mode="", hunks=f"@@ -0,0 +1 @@\n+{target}")
    assert [one.kind for one in found(link)] == ([FindingKind.SYMLINK] if out else [])


def test_submodules_wait() -> None:
    sub = file("lib", status=FileStatus.ADDED, mode="160000", old_mode="", hunks="@@\n+Subproject commit x")
    moved = replace(sub, status=FileStatus.MODIFIED, old_mode="160000")
    assert [one.words for one in found(sub)] == ["lib is a new submodule"]
    assert [one.words for one in found(moved)] == ["lib is another commit of a submodule"]


def test_a_guard_that_is_off_finds_nothing() -> None:
    assert found(file("CODEOWNERS"), brings("a", TOKEN), guard=Guard(enabled=False)) == ()


def test_what_is_kept_is_bounded_and_nothing_is_left_unnamed() -> None:
    many = [file(f".github/{n}.yml", hunks="@@\n" + f"+{'y' * 5000}\n") for n in range(MOST_FINDINGS + 40)]
    all_of_it = found(*many)
    assert len(all_of_it) == MOST_FINDINGS + 1
    assert sum(len(one.hunks) for one in all_of_it) <= MOST_SHOWN + MOST_FINDINGS * 100
    assert all_of_it[-1].words == "40 more, which are too many to be shown"
    last = [*many[:-1], replace(many[-1], hunks="@@\n+other\n")]
    assert found(*last)[-1].fingerprint != all_of_it[-1].fingerprint


def test_hostile_names_and_texts_are_made_harmless() -> None:
    [one] = found(file(".github/\x1b[31m\u202ex\n.yml", hunks="@@\n+\x1b[2Jhidden\u202e\n"))
    assert not set("\x1b\u202e\n") & set(one.words + one.path)
    assert not set("\x1b\u202e") & set(one.hunks)
