"""The fake GitHub as a process of its own, driven by its control; its CI, logs and pages."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from github import Auth, Github

from bot.demo.github.process import GitHubProcess
from orchestrator.errors import BadInput

PATIENCE = 20.0
TEST = """import unittest
class T(unittest.TestCase):
    def test_it(self):
        self.assertEqual(open("answer").read(), "42\\n")
"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[GitHubProcess]:
    made = GitHubProcess.start(tmp_path / "github")
    yield made
    assert made.control("state")["failures"] == []
    made.close()
    assert made.process.returncode == 0


@pytest.mark.git
def test_the_ci_runs_fails_with_a_real_log_and_passes_when_it_is_fixed(served: GitHubProcess) -> None:
    files = {"test_it.py": TEST, "answer": "41\n"}
    served.control("repository", full_name="acme/tool", files=files, collaborators={"bo": "write"})
    served.control("ci", full_name="acme/tool", commands={"tests": [sys.executable, "-m", "unittest"]})
    served.control("push", full_name="acme/tool", branch="work", files={"b": "b"}, by="bo")
    served.control("pull", full_name="acme/tool", head="work", by="bo", title="<script>T</script>")
    served.control("label", full_name="acme/tool", number=1, names=["bug", "area/tools"], by="bo")
    served.control("settle")
    token = served.control("token", login="bo")["result"]
    with Github(auth=Auth.Token(token), base_url=served.api, seconds_between_requests=0) as client:
        repo = client.get_repo("acme/tool")
        pull = repo.get_pull(1)
        assert {label.name for label in pull.labels} == {"bug", "area/tools"}
        (run,) = repo.get_commit(pull.head.sha).get_check_runs()
        assert (run.name, run.conclusion) == ("tests", "failure")
        (workflow,) = repo.get_workflow_runs(head_sha=pull.head.sha)
        (job,) = workflow.jobs()
        assert [(step.name, step.conclusion) for step in job.steps][-2][1] == "failure"
        url = f"{served.api}/repos/acme/tool/actions/jobs/{job.id}/logs"
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
    page = requests.get(f"{served.page}/acme/tool/pull/1", timeout=PATIENCE)
    assert "&lt;script&gt;T&lt;/script&gt;" in page.text
    assert "<script>" not in page.text


def test_the_control_needs_its_secret_and_says_what_it_cannot_do(served: GitHubProcess) -> None:
    assert requests.post(f"{served.page}/control/state", timeout=PATIENCE).status_code == 401
    with pytest.raises(BadInput, match="There is no repository a/b"):
        served.control("issue", full_name="a/b", title="T")
    with pytest.raises(BadInput, match="There is no control nothing"):
        served.control("nothing")
    elsewhere = requests.get(served.page, headers={"Host": "evil.example"}, timeout=PATIENCE)
    assert elsewhere.status_code == 403
