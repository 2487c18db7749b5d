"""`bin/ao` and `bin/git-remote-ao` as an agent runs them: real shells, real git, real files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from orchestrator import resources
from orchestrator.domain.agent_request import AgentRequest, Asks, WantsPullRequest, WantsPush, parse, wish
from orchestrator.domain.ids import session_id
from orchestrator.lifecycle.agent_folder import PROGRAMS

SHELLS = [shell for shell in ("dash", "bash") if shutil.which(shell)]
DEMO = session_id("demo-1")


@dataclass
class Desk:
    """The other side of the folder: takes requests and gives each the answer that `reply` finds."""

    folder: Path
    reply: Callable[[AgentRequest], str] = lambda _request: "0\n"
    taken: list[AgentRequest] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)

    def serve(self) -> None:
        while not self.closed.wait(0.01):
            for file in sorted((self.folder / "outbox").glob("[!.]*")):
                request = parse(DEMO, file.name, file.read_bytes())
                self.taken.append(request)
                answer = self.folder / "inbox" / f".{file.name}"
                answer.write_text(self.reply(request))
                file.unlink()
                answer.rename(self.folder / "inbox" / file.name)


@pytest.fixture(params=SHELLS)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A session's folder whose programs run in one shell each."""
    folder = tmp_path / "session"
    for name in ("bin", "inbox", "outbox"):
        (folder / name).mkdir(parents=True)
    for program in PROGRAMS:
        text = resources.text(f"agent-bin/{program}")
        assert text.startswith("#!/bin/sh\n")
        file = folder / "bin" / program
        file.write_text(text.replace("#!/bin/sh", f"#!{shutil.which(request.param)}", 1))
        file.chmod(0o700)
    return folder


@pytest.fixture
def desk(folder: Path) -> Iterator[Desk]:
    desk = Desk(folder)
    thread = threading.Thread(target=desk.serve)
    thread.start()
    yield desk
    desk.closed.set()
    thread.join(5)


def _environment(folder: Path) -> dict[str, str]:
    return {
        "PATH": f"{folder}/bin:{os.environ['PATH']}",
        "HOME": str(folder),
        "AO_SESSION_DIR": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_COUNT": "3",
        "GIT_CONFIG_KEY_0": "remote.origin.pushurl",
        "GIT_CONFIG_VALUE_0": "ao::session",
        "GIT_CONFIG_KEY_1": "push.default",
        "GIT_CONFIG_VALUE_1": "current",
        "GIT_CONFIG_KEY_2": "remote.origin.url",
        "GIT_CONFIG_VALUE_2": "ao::session",
    }


def _run(folder: Path, *argv: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv,
        cwd=cwd or folder,
        env=_environment(folder),
        capture_output=True,
        text=True,
        timeout=15,
        check=False,
    )


def test_arguments_arrive_as_they_are(folder: Path, desk: Desk) -> None:
    body = "two\nlines, $HOME `id` 'quotes' \"double\" \\n %s"
    done = _run(folder, "ao", "pr", "create", "--title", "A title", "--body", body, "--draft")
    assert done.returncode == 0, done.stderr
    assert wish(desk.taken[0]) == WantsPullRequest(update=False, title="A title", body=body, draft=True)


def test_a_body_file_is_read_where_the_agent_is(folder: Path, desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "-body.md").write_text("from a file\n")
    for arguments in (["--body-file", "-body.md"], ["--body-file=-body.md"]):
        done = _run(folder, "ao", "pr", "update", *arguments, "--title", "x", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert {wish(request) for request in desk.taken} == {
        WantsPullRequest(update=True, title="x", body="from a file")
    }
    missing = _run(folder, "ao", "pr", "update", "--body-file", "nothing.md")
    assert missing.returncode == 2
    assert len(desk.taken) == 2


def test_the_answer_of_a_question_is_printed(folder: Path, desk: Desk) -> None:
    desk.reply = lambda _request: "0\nthe second\n"
    done = _run(folder, "ao", "ask", "Which one?", "--option", "the first", "--option", "the second")
    assert (done.returncode, done.stdout) == (0, "the second\n")
    assert wish(desk.taken[0]) == Asks(question="Which one?", options=("the first", "the second"))


@pytest.mark.parametrize(
    "words", ["", "help", "--help", "-h", "ask --help", "ask -h", "pr --help", "pr create --help"]
)
@pytest.mark.parametrize("outside", [False, True])
def test_help_asks_nobody(folder: Path, desk: Desk, words: str, *, outside: bool) -> None:
    argv = ("env", "-u", "AO_SESSION_DIR") if outside else ()
    done = _run(folder, *argv, "ao", *words.split())
    assert (done.returncode, done.stderr, desk.taken) == (0, "", [])
    assert "ao ask QUESTION" in done.stdout


@pytest.mark.parametrize("verb", ["done", "report", "push"])
def test_help_of_a_verb_does_not_do_it(folder: Path, desk: Desk, verb: str) -> None:
    assert "ao ask QUESTION" in _run(folder, "ao", verb, "--help").stdout
    assert desk.taken == []


def test_question_may_be_about_help(folder: Path, desk: Desk) -> None:
    _run(folder, "ao", "ask", "What does --help print?", "--option", "--help")
    assert wish(desk.taken[0]) == Asks(question="What does --help print?", options=("--help",))


def test_a_refusal_has_its_code_and_goes_to_standard_error(folder: Path, desk: Desk) -> None:
    desk.reply = lambda _request: "4\nao: there is nothing to merge\n"
    done = _run(folder, "ao", "pr", "create")
    assert (done.returncode, done.stdout, done.stderr) == (4, "", "ao: there is nothing to merge\n")


@pytest.mark.parametrize("answer", ["", "not a number\nx\n", "-1\n"])
def test_a_damaged_answer_is_a_failure(folder: Path, desk: Desk, answer: str) -> None:
    desk.reply = lambda _request: answer
    assert _run(folder, "ao", "done").returncode == 70


def test_requests_made_at_once_do_not_meet(folder: Path, desk: Desk) -> None:
    desk.reply = lambda request: f"0\n{request.args[0]}\n"
    with_number = [
        subprocess.Popen(
            ["ao", "report", str(n)], env=_environment(folder), stdout=subprocess.PIPE, text=True
        )
        for n in range(8)
    ]
    answers = [process.communicate(timeout=15)[0].strip() for process in with_number]
    assert answers == [str(n) for n in range(8)]


def test_a_hook_that_has_its_answer_leaves_word_of_it(folder: Path) -> None:
    for name in ("events", "answers"):
        (folder / "agent" / name).mkdir(parents=True)
    argv = [f"{folder}/bin/ao-hook", "wait"]
    with subprocess.Popen(
        argv, env=_environment(folder), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as hook:
        assert hook.stdin is not None
        hook.stdin.write('{"hook_event_name": "PermissionRequest"}')
        hook.stdin.close()
        while not (asked := list((folder / "agent/events").glob("[0-9]*.json"))):
            assert hook.poll() is None
        (folder / "agent/answers" / asked[0].name).write_text('{"yes": true}')
        assert hook.stdout is not None
        assert hook.stdout.read() == '{"yes": true}'
    (word,) = (folder / "agent/events").glob("answered-*.json")
    assert json.loads(word.read_text()) == {"ao_answered": asked[0].name}


def test_help_and_mistakes_ask_nobody(folder: Path) -> None:
    assert "ao ask QUESTION" in _run(folder, "ao", "help").stdout
    assert _run(folder, "ao").returncode == 0
    wrong = _run(folder, "ao", "merge")
    assert wrong.returncode == 2
    assert "no verb merge" in wrong.stderr
    assert not list((folder / "outbox").iterdir())


def test_outside_a_session_it_says_so(folder: Path) -> None:
    environment = {**_environment(folder), "AO_SESSION_DIR": ""}
    done = subprocess.run(["ao", "done"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 69
    assert "no session" in done.stderr


@pytest.fixture
def repository(folder: Path, tmp_path: Path) -> Path:
    repository = tmp_path / "work"
    for argv in (
        ["init", "-q", "-b", "feat/1", str(repository)],
        ["-C", str(repository), "config", "user.name", "Agent"],
        ["-C", str(repository), "config", "user.email", "agent@example.test"],
        ["-C", str(repository), "commit", "-q", "--allow-empty", "-m", "first"],
    ):
        done = _run(folder, "git", *argv)
        assert done.returncode == 0, done.stderr
    return repository


def _head(folder: Path, repository: Path) -> str:
    return _run(folder, "git", "rev-parse", "HEAD", cwd=repository).stdout.strip()


@pytest.mark.git
@pytest.mark.parametrize(
    "arguments", [[], ["origin", "HEAD"], ["-u", "origin", "feat/1"], ["origin", "HEAD:refs/heads/feat/1"]]
)
def test_a_push_becomes_a_request(folder: Path, desk: Desk, repository: Path, arguments: list[str]) -> None:
    desk.reply = lambda _request: "0\npull request 3 is up to date\n"
    done = _run(folder, "git", "push", *arguments, cwd=repository)
    assert done.returncode == 0, done.stderr
    assert wish(desk.taken[0]) == WantsPush(commit=_head(folder, repository), branch="feat/1")
    assert "pull request 3 is up to date" in done.stderr


@pytest.mark.git
def test_a_plain_push_leaves_the_configuration_alone(folder: Path, desk: Desk, repository: Path) -> None:
    before = (repository / ".git" / "config").read_bytes()
    assert _run(folder, "git", "push", cwd=repository).returncode == 0
    assert len(desk.taken) == 1
    assert (repository / ".git" / "config").read_bytes() == before


@pytest.mark.git
def test_a_forced_push_is_a_push(folder: Path, desk: Desk, repository: Path) -> None:
    done = _run(folder, "git", "push", "--force", "origin", "HEAD", cwd=repository)
    assert done.returncode == 0, done.stderr
    assert wish(desk.taken[0]) == WantsPush(commit=_head(folder, repository), branch="feat/1")


@pytest.mark.git
def test_a_lease_holds_after_an_amended_commit(folder: Path, desk: Desk, repository: Path) -> None:
    _run(
        folder, "git", "config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*", cwd=repository
    )
    assert _run(folder, "git", "push", cwd=repository).returncode == 0
    _run(folder, "git", "commit", "-q", "--amend", "--allow-empty", "-m", "again", cwd=repository)
    plain = _run(folder, "git", "push", cwd=repository)
    assert plain.returncode == 1
    assert "non-fast-forward" in plain.stderr
    leased = _run(folder, "git", "push", "--force-with-lease", cwd=repository)
    assert leased.returncode == 0, leased.stderr
    assert [wish(request) for request in desk.taken][1] == WantsPush(
        commit=_head(folder, repository), branch="feat/1"
    )


@pytest.mark.git
def test_a_refused_push_fails_with_the_reason(folder: Path, desk: Desk, repository: Path) -> None:
    desk.reply = lambda _request: "1\nao: only feat/1 is pushed here\n"
    done = _run(folder, "git", "push", "origin", "HEAD:refs/heads/main", cwd=repository)
    assert done.returncode == 1
    assert "only feat/1 is pushed here" in done.stderr


@pytest.mark.git
def test_a_branch_is_not_deleted(folder: Path, desk: Desk, repository: Path) -> None:
    done = _run(folder, "git", "push", "origin", ":refs/heads/main", cwd=repository)
    assert done.returncode != 0
    assert not desk.taken


@pytest.mark.git
def test_a_fetch_reaches_the_real_origin(folder: Path, desk: Desk, repository: Path, tmp_path: Path) -> None:
    origin = tmp_path / "origin.git"
    _run(folder, "git", "init", "-q", "--bare", str(origin))
    _run(folder, "git", f"--git-dir={origin}", "fetch", "-q", str(repository), "feat/1:refs/heads/main")
    _run(folder, "git", "config", "remote.origin.url", str(origin), cwd=repository)
    fetched = _run(folder, "git", "fetch", "-q", "origin", "main", cwd=repository)
    assert fetched.returncode == 0, fetched.stderr
    assert _run(folder, "git", "push", "origin", "HEAD", cwd=repository).returncode == 0
    assert len(desk.taken) == 1
    assert _run(folder, "git", f"--git-dir={origin}", "rev-parse", "-q", "--verify", "feat/1").returncode != 0
