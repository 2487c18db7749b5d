"""Check runs, workflow runs with jobs, and commit statuses: made, finished, run again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.demo.github import shapes_checks
from bot.demo.github.model import Pull, Repository, User
from bot.demo.github.model_checks import CheckRun, Status, Suite, WorkflowRun
from bot.demo.github.refusals import Json, Refused
from bot.demo.github.world import World, iso

ACTIONS = (15368, "github-actions")
"""GitHub Actions' own App."""
STATES = ("error", "failure", "pending", "success")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a check says. `status`: queued, in_progress or completed (then with a conclusion)."""

    name: str
    status: str = "completed"
    conclusion: str | None = None
    log: str = ""
    """Lines; the server adds the times. A job that fails has one at least."""
    log_after: float = 0.0
    """Seconds after its end from which on the log is there."""
    steps: Sequence[tuple[str, str]] = ()
    """Name and conclusion of each; made up where there are none."""
    annotations: Sequence[Mapping[str, object]] = ()
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    app: tuple[int, str] = ACTIONS
    """Id and slug."""
    workflow: str = "CI"
    external_id: str = ""
    details_url: str = ""
    output: Json = field(default_factory=dict)


def start(world: World, repo: Repository, sha: str, branch: str, report: Report) -> CheckRun:
    """A new check run; one of the same name stays beside it."""
    suite = _suite(world, repo, sha, branch, report)
    number = world.number()
    page = world.page(f"/{repo.full_name}/runs/{number}")
    if suite.run is not None:
        page = world.page(f"/{repo.full_name}/actions/runs/{suite.run.id}/job/{number}")
    run = CheckRun(
        number, world.node_id("CR", number), report.name, sha, suite, "queued", None, None, None,
        report.details_url or page, external_id=report.external_id,
    )  # fmt: skip
    repo.checks.runs.append(run)
    repo.checks.by_sha.setdefault(sha, []).append(run)
    world.nodes[run.node_id] = run
    if suite.run is not None:
        suite.run.jobs.append(run)
        run.attempt = suite.run.attempt
    _tell(world, repo, run, "created")
    change(world, repo, run, report)
    return run


def change(world: World, repo: Repository, run: CheckRun, report: Report) -> None:
    """It goes on, or is finished."""
    now = world.now
    run.status, run.conclusion = report.status, report.conclusion if report.status == "completed" else None
    if run.status == "completed":
        run.conclusion = run.conclusion or "success"
        run.completed_at = now
    if run.status != "queued":
        run.started_at = run.started_at or now
    run.title, run.summary, run.text = (
        report.title or run.title, report.summary or run.summary, report.text or run.text
    )  # fmt: skip
    run.annotations += [dict(row) for row in report.annotations]
    if log := report.log or _least(run):
        run.log = "".join(f"{str(iso(now))[:-1]}.0000000Z {line}\n" for line in log.splitlines())
        run.log_from = now + report.log_after
    run.steps = _steps(run, report, str(iso(now)))
    run.suite.updated_at = now
    if run.suite.run is not None:
        run.suite.run.updated_at = now
    if run.status == "completed":
        _tell(world, repo, run, "completed")


def _least(run: CheckRun) -> str:
    return (
        "##[error]Process completed with exit code 1." if run.conclusion == "failure" and not run.log else ""
    )


def _steps(run: CheckRun, report: Report, at: str) -> list[Json]:
    steps = list(report.steps)
    if not steps and run.status == "completed":
        steps = [
            ("Set up job", "success"),
            (f"Run {run.name}", run.conclusion or "success"),
            ("Complete job", "success"),
        ]
    return [
        {"name": name, "status": "completed", "conclusion": conclusion, "number": number, "started_at": at,
         "completed_at": at}
        for number, (name, conclusion) in enumerate(steps, 1)
    ]  # fmt: skip


def _suite(world: World, repo: Repository, sha: str, branch: str, report: Report) -> Suite:
    app_id, slug = report.app
    is_actions = report.app == ACTIONS
    for suite in repo.checks.suites:
        same = suite.sha == sha and suite.app_id == app_id
        if same and (suite.run is None or suite.run.name == report.workflow):
            return suite
    number, now = world.number(), world.now
    made = Suite(number, world.node_id("CS", number), sha, branch, app_id, slug, now, now)
    repo.checks.suites.append(made)
    world.nodes[made.node_id] = made
    if is_actions:
        number = world.number()
        count = sum(1 for run in repo.checks.workflow_runs if run.name == report.workflow) + 1
        made.run = WorkflowRun(
            number, world.node_id("WFR", number), report.workflow, sha, branch, made, count, now, now
        )
        repo.checks.workflow_runs.append(made.run)
        world.nodes[made.run.node_id] = made.run
    return made


def add_status(world: World, repo: Repository, sha: str, by: User, status: Status) -> Status:
    """Raises `Refused` (422) for a state that GitHub does not know."""
    if status.state not in STATES:
        raise Refused(
            422, "Validation Failed", errors=[{"resource": "Status", "code": "custom", "field": "state"}]
        )
    repo.checks.statuses.append(status)
    repo.checks.statuses_by_sha.setdefault(sha, []).append(status)
    world.nodes[status.node_id] = status
    names = [name for name, head in repo.branch_heads.items() if head == sha]
    payload = shapes_checks.status(world, repo, status) | {
        "sha": sha, "name": repo.full_name, "branches": [{"name": name, "commit": {"sha": sha}} for name in names],
    }  # fmt: skip
    world.happened(repo, "status", "", payload, by)
    return status


def new_status(world: World, sha: str, by: User, said: Mapping[str, object]) -> Status:
    """From what a caller sent."""
    number = world.number()
    description, target = said.get("description"), said.get("target_url")
    return Status(
        number, world.node_id("SC", number), sha, str(said.get("context") or "default"),
        str(said.get("state")), str(description) if description else None,
        str(target) if target else None, by.login, world.now,
    )  # fmt: skip


def rerun(world: World, repo: Repository, run: WorkflowRun, *, failed_only: bool) -> list[CheckRun]:
    """New attempts, queued. Raises `Refused` (403) while it runs."""
    if run.status != "completed":
        raise Refused(403, "This workflow is already running")
    jobs = [
        job
        for job in run.current
        if not failed_only or job.conclusion not in {"success", "skipped", "neutral"}
    ]
    if not jobs:
        raise Refused(403, "This workflow run cannot be retried" if failed_only else "There is no job to run")
    run.attempt += 1
    return [rerun_job(world, repo, job, in_attempt=True) for job in jobs]


def rerun_job(world: World, repo: Repository, job: CheckRun, *, in_attempt: bool = False) -> CheckRun:
    """A new attempt of one job, queued."""
    workflow = job.suite.run
    if workflow is not None and not in_attempt:
        workflow.attempt += 1
    job.replaced = True
    report = Report(
        name=job.name, status="queued", app=(job.suite.app_id, job.suite.app_slug),
        workflow=workflow.name if workflow else "", external_id=job.external_id,
    )  # fmt: skip
    return start(world, repo, job.sha, job.suite.branch, report)


def pulls_at(repo: Repository, sha: str) -> list[Pull]:
    """Open pull requests with this head."""
    return [pull for pull in repo.pulls() if pull.is_open and pull.head_sha == sha]


def _tell(world: World, repo: Repository, run: CheckRun, action: str) -> None:
    sender = world.add_user(f"{run.suite.app_slug}[bot]", "Bot")
    world.happened(
        repo, "check_run", action, {"check_run": shapes_checks.check_run(world, repo, run)}, sender
    )
    workflow = run.suite.run
    if workflow is not None:
        shape = shapes_checks.job(world, repo, workflow, run)
        word = "queued" if action == "created" else "completed"
        world.happened(repo, "workflow_job", word, {"workflow_job": shape}, sender)
    mates = [other for other in repo.checks.latest(run.sha) if other.suite is run.suite]
    if action != "completed" or any(other.status != "completed" for other in mates):
        return
    shape = shapes_checks.suite(world, repo, run.suite)
    world.happened(repo, "check_suite", "completed", {"check_suite": shape}, sender)
    if workflow is not None:
        shape = shapes_checks.workflow_run(world, repo, workflow)
        world.happened(repo, "workflow_run", "completed", {"workflow_run": shape}, sender)
