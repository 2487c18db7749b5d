"""The fake GitHub as a process of its own, driven by its control; its CI, logs and pages."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from github import Auth, Github

ROOT = Path(__file__).parents[5]
PATIENCE = 20.0
TEST = """import unittest
class T(unittest.TestCase):
    def test_it(self):
        self.assertEqual(open("answer").read(), "42\\n")
"""


class Served:
    """The process and its addresses."""

    def __init__(self) -> None:
        argv = [sys.executable, "-m", "bot.demo.github.server", "--with-parent"]
        self.process = subprocess.Popen(
            argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.told: dict[str, Any] = json.loads(self.process.stdout.readline())

    def control(self, name: str, **given: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.told['secret']}"}
        answer = requests.post(self.told["control"] + name, json=given, headers=headers, timeout=PATIENCE)
        assert answer.status_code == 200, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def end(self) -> int:
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
        return self.process.wait(PATIENCE)


@pytest.fixture
def served() -> Iterator[Served]:
    made = Served()
    yield made
    assert made.control("state")["failures"] == []
    assert made.end() == 0


@pytest.mark.git
def test_the_ci_runs_fails_with_a_real_log_and_passes_when_it_is_fixed(served: Served) -> None:
    files = {"test_it.py": TEST, "answer": "41\n"}
    served.control("repository", full_name="acme/tool", files=files, collaborators={"bo": "write"})
    served.control("ci", full_name="acme/tool", commands={"tests": [sys.executable, "-m", "unittest"]})
    served.control("push", full_name="acme/tool", branch="work", files={"b": "b"}, by="bo")
    served.control("pull", full_name="acme/tool", head="work", by="bo", title="<script>T</script>")
    served.control("settle")
    token = served.control("token", login="bo")["result"]
    with Github(auth=Auth.Token(token), base_url=served.told["api"], seconds_between_requests=0) as client:
        repo = client.get_repo("acme/tool")
        pull = repo.get_pull(1)
        (run,) = repo.get_commit(pull.head.sha).get_check_runs()
        assert (run.name, run.conclusion) == ("tests", "failure")
        (workflow,) = repo.get_workflow_runs(head_sha=pull.head.sha)
        (job,) = workflow.jobs()
        assert [(step.name, step.conclusion) for step in job.steps][-2][1] == "failure"
        url = f"{served.told['api']}/repos/acme/tool/actions/jobs/{job.id}/logs"
        moved = requests.get(
            url, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE, allow_redirects=False
        )
        assert moved.status_code == 302
        log = requests.get(moved.headers["Location"], timeout=PATIENCE).text
        assert "AssertionError: '41\\n' != '42\\n'" in log
        assert "##[error]Process completed with exit code 1." in log
        assert workflow.rerun_failed_jobs()
        served.control("settle")
        assert [one.run_attempt for one in repo.get_workflow_runs(head_sha=pull.head.sha)] == [2]
        served.control("push", full_name="acme/tool", branch="work", files={"answer": "42\n"}, by="bo")
        served.control("settle")
        (run,) = repo.get_commit(repo.get_pull(1).head.sha).get_check_runs()
        assert run.conclusion == "success"
    page = requests.get(f"{served.told['page']}acme/tool/pull/1", timeout=PATIENCE)
    assert "&lt;script&gt;T&lt;/script&gt;" in page.text
    assert "<script>" not in page.text


def test_the_control_needs_its_secret_and_says_what_it_cannot_do(served: Served) -> None:
    address = served.told["control"]
    assert requests.post(f"{address}state", timeout=PATIENCE).status_code == 401
    headers = {"Authorization": f"Bearer {served.told['secret']}"}
    answer = requests.post(
        f"{address}issue", json={"full_name": "a/b", "title": "T"}, headers=headers, timeout=PATIENCE
    )
    assert (answer.status_code, answer.json()["error"]) == (409, "There is no repository a/b.")
    assert requests.post(f"{address}nothing", headers=headers, timeout=PATIENCE).status_code == 404
    elsewhere = requests.get(served.told["page"], headers={"Host": "evil.example"}, timeout=PATIENCE)
    assert elsewhere.status_code == 403
