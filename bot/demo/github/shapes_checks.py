"""Check runs, suites, statuses and workflow runs as the REST API shows them."""

from __future__ import annotations

from bot.demo.github import rules, shapes
from bot.demo.github.model import Repository
from bot.demo.github.model_checks import CheckRun, Status, Suite, WorkflowRun, worst
from bot.demo.github.refusals import Json
from bot.demo.github.world import World, iso


def _app(world: World, suite_of: Suite) -> Json:
    return {
        "id": suite_of.app_id, "slug": suite_of.app_slug, "node_id": world.node_id("A", suite_of.app_id),
        "name": suite_of.app_slug.replace("-", " ").title(),
    }  # fmt: skip


def _pulls(world: World, repo: Repository, sha: str) -> list[Json]:
    """Empty for forks, as on GitHub."""
    return [
        {
            "id": pull.id,
            "number": pull.number,
            "url": world.api(f"/repos/{repo.full_name}/pulls/{pull.number}"),
            "head": {"ref": pull.head_ref, "sha": pull.head_sha, "repo": {"id": repo.id, "name": repo.name}},
            "base": {"ref": pull.base_ref, "sha": pull.base_sha, "repo": {"id": repo.id, "name": repo.name}},
        }
        for pull in repo.pulls()
        if pull.is_open and pull.head_sha == sha and pull.head_repo is repo
    ]


def check_run(world: World, repo: Repository, run: CheckRun) -> Json:
    """A check run."""
    url = world.api(f"/repos/{repo.full_name}/check-runs/{run.id}")
    return {
        "id": run.id,
        "node_id": run.node_id,
        "name": run.name,
        "head_sha": run.sha,
        "external_id": run.external_id,
        "url": url,
        "html_url": run.details_url,
        "details_url": run.details_url,
        "status": run.status,
        "conclusion": run.conclusion,
        "started_at": iso(run.started_at),
        "completed_at": iso(run.completed_at),
        "output": {
            "title": run.title,
            "summary": run.summary,
            "text": run.text,
            "annotations_count": len(run.annotations),
            "annotations_url": f"{url}/annotations",
        },
        "check_suite": {"id": run.suite.id, "head_branch": run.suite.branch, "head_sha": run.sha},
        "app": _app(world, run.suite),
        "pull_requests": _pulls(world, repo, run.sha),
    }


def annotation(row: Json) -> Json:
    """With all its keys."""
    empty: Json = dict.fromkeys(
        ("path", "start_line", "end_line", "start_column", "end_column", "title", "raw_details")
    )
    return empty | {"annotation_level": "failure", "message": "", "blob_href": ""} | row


def suite(world: World, repo: Repository, one: Suite) -> Json:
    """A check suite."""
    runs = [run for run in repo.checks.latest(one.sha) if run.suite is one]
    is_done = all(run.status == "completed" for run in runs)
    return {
        "id": one.id,
        "node_id": one.node_id,
        "head_branch": one.branch,
        "head_sha": one.sha,
        "status": "completed" if is_done else "in_progress",
        "conclusion": worst([run.conclusion for run in runs]) if is_done else None,
        "url": world.api(f"/repos/{repo.full_name}/check-suites/{one.id}"),
        "app": _app(world, one),
        "created_at": iso(one.created_at),
        "updated_at": iso(one.updated_at),
        "latest_check_runs_count": len(runs),
        "pull_requests": _pulls(world, repo, one.sha),
    }


def status(world: World, repo: Repository, one: Status) -> Json:
    """A commit status."""
    return {
        "id": one.id,
        "node_id": one.node_id,
        "url": world.api(f"/repos/{repo.full_name}/statuses/{one.sha}"),
        "state": one.state,
        "context": one.context,
        "description": one.description,
        "target_url": one.target_url,
        "created_at": iso(one.created_at),
        "updated_at": iso(one.created_at),
        "creator": shapes.user(world, world.add_user(one.creator)),
    }


def combined(world: World, repo: Repository, sha: str) -> Json:
    """Statuses of a commit without check runs: pending where there are none, as GitHub says."""
    rows = repo.checks.contexts(sha)
    states = {row.state for row in rows}
    word = "failure" if states & {"failure", "error"} else "success" if states == {"success"} else "pending"
    return {
        "sha": sha,
        "state": word,
        "total_count": len(rows),
        "url": world.api(f"/repos/{repo.full_name}/commits/{sha}/status"),
        "statuses": [status(world, repo, row) for row in rows],
        "repository": shapes.repository(world, repo, whole=False),
    }


def workflow_run(world: World, repo: Repository, run: WorkflowRun) -> Json:
    """A run of GitHub Actions."""
    url = world.api(f"/repos/{repo.full_name}/actions/runs/{run.id}")
    return {
        "id": run.id,
        "node_id": run.node_id,
        "name": run.name,
        "display_title": run.name,
        "run_number": run.number,
        "run_attempt": run.attempt,
        "event": run.event,
        "status": run.status,
        "conclusion": run.conclusion,
        "head_branch": run.branch,
        "head_sha": run.sha,
        "check_suite_id": run.suite.id,
        "path": ".github/workflows/ci.yml",
        "url": url,
        "html_url": world.page(f"/{repo.full_name}/actions/runs/{run.id}"),
        "jobs_url": f"{url}/jobs",
        "logs_url": f"{url}/logs",
        "rerun_url": f"{url}/rerun",
        "created_at": iso(run.created_at),
        "updated_at": iso(run.updated_at),
        "pull_requests": _pulls(world, repo, run.sha),
        "repository": shapes.repository(world, repo, whole=False),
    }


def job(world: World, repo: Repository, run: WorkflowRun, one: CheckRun) -> Json:
    """A job of a run; its id is the check run's."""
    return {
        "id": one.id,
        "node_id": one.node_id,
        "run_id": run.id,
        "run_attempt": one.attempt,
        "run_url": world.api(f"/repos/{repo.full_name}/actions/runs/{run.id}"),
        "workflow_name": run.name,
        "head_branch": run.branch,
        "head_sha": one.sha,
        "name": one.name,
        "status": one.status,
        "conclusion": one.conclusion,
        "created_at": iso(run.created_at),
        "started_at": iso(one.started_at or run.created_at),
        "completed_at": iso(one.completed_at),
        "steps": one.steps,
        "url": world.api(f"/repos/{repo.full_name}/actions/jobs/{one.id}"),
        "html_url": one.details_url,
        "check_run_url": world.api(f"/repos/{repo.full_name}/check-runs/{one.id}"),
        "labels": [],
        "runner_name": None,
    }


def required(repo: Repository, branch: str, name: str) -> bool:
    """Whether a branch asks for this check."""
    wanted = rules.protection(repo, branch)
    return wanted is not None and name in wanted.checks
