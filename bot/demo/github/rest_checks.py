"""REST: commits with their checks and statuses, workflow runs, jobs, logs, reruns."""

from __future__ import annotations

from bot.demo.github import checks, merging, shapes_checks, shapes_pulls
from bot.demo.github.calls import Call, Reply, Table
from bot.demo.github.model_checks import CheckRun, WorkflowRun
from bot.demo.github.refusals import Json, Refused, not_found
from bot.demo.github.rest_repos import commit_shape

TABLE = Table()
_REPO = "/repos/{owner}/{repo}"
_CHECKS, _ACTIONS = ("checks", "read"), ("actions", "read")


async def _sha(call: Call) -> str:
    name = call.params["sha"]
    found = None if name.startswith("-") else await call.world.git(call.repo).resolve(name)
    if found is None:
        raise Refused(422, f"No commit found for SHA: {name}")
    return found


@TABLE.on("GET", f"{_REPO}/commits/{{sha}}", ("contents", "read"))
async def commit(call: Call) -> Reply:
    """One commit."""
    return Reply(await commit_shape(call, call.repo, call.params["sha"]))


@TABLE.on("GET", f"{_REPO}/commits/{{sha}}/pulls", ("pull_requests", "read"))
async def pulls_of_commit(call: Call) -> Reply:
    """Pull requests with this head."""
    sha = await _sha(call)
    rows = [pull for pull in call.repo.pulls() if sha in (pull.head_sha, pull.merge_sha)]
    return call.page(rows, lambda one: shapes_pulls.pull(call.world, one))


@TABLE.on("GET", f"{_REPO}/commits/{{sha}}/check-runs", _CHECKS)
async def check_runs(call: Call) -> Reply:
    """Newest first; `filter=all` with those that were run again."""
    sha = await _sha(call)
    is_all = call.query.get("filter") == "all"
    rows = list(call.repo.checks.by_sha.get(sha, [])) if is_all else call.repo.checks.latest(sha)
    if name := call.query.get("check_name"):
        rows = [run for run in rows if run.name == name]
    if status := call.query.get("status"):
        rows = [run for run in rows if run.status == status]
    return call.page(
        rows[::-1], lambda run: shapes_checks.check_run(call.world, call.repo, run), "check_runs"
    )


@TABLE.on("GET", f"{_REPO}/commits/{{sha}}/check-suites", _CHECKS)
async def check_suites(call: Call) -> Reply:
    """One for each app."""
    sha = await _sha(call)
    rows = [suite for suite in call.repo.checks.suites if suite.sha == sha]
    return call.page(rows, lambda one: shapes_checks.suite(call.world, call.repo, one), "check_suites")


@TABLE.on("GET", f"{_REPO}/commits/{{sha}}/status", ("statuses", "read"))
async def combined(call: Call) -> Reply:
    """The newest status of each context."""
    return Reply(shapes_checks.combined(call.world, call.repo, await _sha(call)))


@TABLE.on("GET", f"{_REPO}/statuses/{{sha}}", ("statuses", "read"))
@TABLE.on("GET", f"{_REPO}/commits/{{sha}}/statuses", ("statuses", "read"))
async def statuses(call: Call) -> Reply:
    """All, newest first."""
    rows = call.repo.checks.statuses_by_sha.get(await _sha(call), [])
    return call.page(rows[::-1], lambda one: shapes_checks.status(call.world, call.repo, one))


@TABLE.on("POST", f"{_REPO}/statuses/{{sha}}", ("statuses", "write"), role="write", content=True)
async def make_status(call: Call) -> Reply:
    """A commit status."""
    sha = await _sha(call)
    made = checks.new_status(call.world, sha, call.user, call.body)
    checks.add_status(call.world, call.repo, sha, call.user, made)
    await advance(call, sha)
    return Reply(shapes_checks.status(call.world, call.repo, made), 201)


async def advance(call: Call, sha: str) -> None:
    """What waited for these checks goes on."""
    for pull in checks.pulls_at(call.repo, sha):
        await merging.advance(call.world, pull)


def _run_of(call: Call) -> CheckRun:
    number = call.number("run")
    found = next((run for run in call.repo.checks.runs if run.id == number), None)
    if found is None:
        raise not_found()
    return found


def _report(call: Call, name: str) -> checks.Report:
    body, output = call.body, call.body.get("output") or {}
    app = call.who.token.app if call.who.token else None
    conclusion = body.get("conclusion")
    return checks.Report(
        name=name, status="completed" if conclusion else body.get("status") or "queued", conclusion=conclusion,
        title=output.get("title"), summary=output.get("summary"), text=output.get("text"),
        annotations=output.get("annotations") or [], app=(app.id, app.slug) if app else checks.ACTIONS,
        external_id=body.get("external_id") or "", details_url=body.get("details_url") or "",
    )  # fmt: skip


@TABLE.on("POST", f"{_REPO}/check-runs", ("checks", "write"), role="write", content=True)
async def make_check_run(call: Call) -> Reply:
    """By an App alone."""
    sha = call.text("head_sha", "CheckRun")
    branch = next((name for name, head in call.repo.branch_heads.items() if head == sha), "")
    run = checks.start(call.world, call.repo, sha, branch, _report(call, call.text("name", "CheckRun")))
    await advance(call, sha)
    return Reply(shapes_checks.check_run(call.world, call.repo, run), 201)


@TABLE.on("GET", f"{_REPO}/check-runs/{{run}}", _CHECKS)
async def check_run(call: Call) -> Reply:
    """One check run."""
    return Reply(shapes_checks.check_run(call.world, call.repo, _run_of(call)))


@TABLE.on("PATCH", f"{_REPO}/check-runs/{{run}}", ("checks", "write"), role="write")
async def change_check_run(call: Call) -> Reply:
    """By an App alone."""
    run = _run_of(call)
    checks.change(call.world, call.repo, run, _report(call, run.name))
    await advance(call, run.sha)
    return Reply(shapes_checks.check_run(call.world, call.repo, run))


@TABLE.on("GET", f"{_REPO}/check-runs/{{run}}/annotations", _CHECKS)
async def list_annotations(call: Call) -> Reply:
    """Of a check run."""
    return call.page(_run_of(call).annotations, shapes_checks.annotation)


# GitHub Actions.


@TABLE.on("GET", f"{_REPO}/actions/runs", _ACTIONS)
async def workflow_runs(call: Call) -> Reply:
    """By head_sha, branch, event, status."""
    rows = list(call.repo.checks.workflow_runs)
    wanted = {"head_sha": "sha", "branch": "branch", "event": "event"}
    for name, attribute in wanted.items():
        if name in call.query:
            rows = [run for run in rows if getattr(run, attribute) == call.query[name]]
    if status := call.query.get("status"):
        rows = [run for run in rows if status in (run.status, run.conclusion)]
    return call.page(rows[::-1], lambda run: _workflow_run(call, run), "workflow_runs")


def _workflow_run(call: Call, run: WorkflowRun) -> Json:
    return shapes_checks.workflow_run(call.world, call.repo, run)


def _workflow_of(call: Call) -> WorkflowRun:
    number = call.number("run")
    found = next((run for run in call.repo.checks.workflow_runs if run.id == number), None)
    if found is None:
        raise not_found()
    return found


@TABLE.on("GET", f"{_REPO}/actions/secrets", ("secrets", "read"), role="write")
async def secret_names(call: Call) -> Reply:
    """The names of secrets, of which this world has none; also of a public repository not for everybody."""
    return call.page([], lambda one: one, "secrets")


@TABLE.on("GET", f"{_REPO}/actions/runs/{{run}}", _ACTIONS)
async def workflow_run(call: Call) -> Reply:
    """One run."""
    return Reply(_workflow_run(call, _workflow_of(call)))


@TABLE.on("GET", f"{_REPO}/actions/runs/{{run}}/jobs", _ACTIONS)
async def jobs(call: Call) -> Reply:
    """Of the newest attempt; `filter=all` of all."""
    run = _workflow_of(call)
    rows = run.jobs if call.query.get("filter") == "all" else run.current
    return call.page(rows, lambda one: shapes_checks.job(call.world, call.repo, run, one), "jobs")


def _job_of(call: Call) -> tuple[WorkflowRun, CheckRun]:
    number = call.number("job")
    for run in call.repo.checks.workflow_runs:
        for one in run.jobs:
            if one.id == number:
                return run, one
    raise not_found()


@TABLE.on("GET", f"{_REPO}/actions/jobs/{{job}}", _ACTIONS)
async def job(call: Call) -> Reply:
    """One job with its steps."""
    return Reply(shapes_checks.job(call.world, call.repo, *_job_of(call)))


@TABLE.on("GET", f"{_REPO}/actions/jobs/{{job}}/logs", _ACTIONS)
async def job_logs(call: Call) -> Reply:
    """302 to an address that needs no token and serves for a minute. 404 before it is finished."""
    _, one = _job_of(call)
    if one.status != "completed" or not one.log or call.world.now < one.log_from:
        raise not_found()
    url = call.world.page(f"/api/logs/{call.world.log_ticket(one.log)}")
    return Reply(None, 302, {"Location": url})


@TABLE.on("POST", f"{_REPO}/actions/runs/{{run}}/rerun-failed-jobs", ("actions", "write"), role="write")
async def rerun_failed(call: Call) -> Reply:
    """201; 403 while it runs."""
    run = _workflow_of(call)
    checks.rerun(call.world, call.repo, run, failed_only=True)
    call.world.rerun(call.repo, run.sha)
    return Reply({}, 201)


@TABLE.on("POST", f"{_REPO}/actions/runs/{{run}}/rerun", ("actions", "write"), role="write")
async def rerun_all(call: Call) -> Reply:
    """201; 403 while it runs."""
    run = _workflow_of(call)
    checks.rerun(call.world, call.repo, run, failed_only=False)
    call.world.rerun(call.repo, run.sha)
    return Reply({}, 201)


@TABLE.on("POST", f"{_REPO}/actions/jobs/{{job}}/rerun", ("actions", "write"), role="write")
async def rerun_job(call: Call) -> Reply:
    """201; 403 while it runs."""
    run, one = _job_of(call)
    if one.status != "completed":
        raise Refused(403, "This workflow is already running")
    checks.rerun_job(call.world, call.repo, one)
    call.world.rerun(call.repo, run.sha)
    return Reply({}, 201)


@TABLE.on("POST", f"{_REPO}/check-runs/{{run}}/rerequest", ("checks", "write"), role="write")
async def rerequest(call: Call) -> Reply:
    """Ask the App to run it again."""
    one = _run_of(call)
    checks.rerun_job(call.world, call.repo, one)
    call.world.rerun(call.repo, one.sha)
    return Reply({}, 201)


@TABLE.on("POST", f"{_REPO}/check-suites/{{suite}}/rerequest", ("checks", "write"), role="write")
async def rerequest_suite(call: Call) -> Reply:
    """Ask the App to run all of them again."""
    number = call.number("suite")
    found = next((suite for suite in call.repo.checks.suites if suite.id == number), None)
    if found is None:
        raise not_found()
    for run in [run for run in call.repo.checks.latest(found.sha) if run.suite is found]:
        checks.rerun_job(call.world, call.repo, run)
    call.world.rerun(call.repo, found.sha)
    return Reply({}, 201)
