"""Check runs, suites, statuses, workflow runs and jobs of a repository."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.demo.github.refusals import Json


@dataclass(slots=True, eq=False)
class Suite:
    """The check runs of one app on one commit."""

    id: int
    node_id: str
    sha: str
    branch: str
    app_id: int
    app_slug: str
    created_at: float
    updated_at: float
    run: WorkflowRun | None = None


@dataclass(slots=True, eq=False)
class CheckRun:
    """One check on one commit. For GitHub Actions it is the same thing as a job."""

    id: int
    node_id: str
    name: str
    sha: str
    suite: Suite
    status: str
    conclusion: str | None
    started_at: float | None
    completed_at: float | None
    details_url: str
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    external_id: str = ""
    annotations: list[Json] = field(default_factory=list)
    log: str = ""
    steps: list[Json] = field(default_factory=list)
    log_from: float = 0.0
    """When its log comes to be there."""
    replaced: bool = False
    """A newer attempt with the same name is there; `filter=latest` leaves this one out."""
    attempt: int = 1


@dataclass(slots=True, eq=False)
class WorkflowRun:
    """A run of GitHub Actions with its jobs (check runs)."""

    id: int
    node_id: str
    name: str
    sha: str
    branch: str
    suite: Suite
    number: int
    created_at: float
    updated_at: float
    event: str = "pull_request"
    attempt: int = 1
    jobs: list[CheckRun] = field(default_factory=list)

    @property
    def current(self) -> list[CheckRun]:
        """Jobs of the newest attempt of each name."""
        return [job for job in self.jobs if not job.replaced]

    @property
    def status(self) -> str:
        """Of all its jobs."""
        states = {job.status for job in self.current}
        if states <= {"completed"}:
            return "completed"
        return "queued" if states == {"queued"} else "in_progress"

    @property
    def conclusion(self) -> str | None:
        """Of all its jobs."""
        return worst([job.conclusion for job in self.current]) if self.status == "completed" else None


@dataclass(slots=True, eq=False)
class Status:
    """A commit status: `state` is error, failure, pending or success."""

    id: int
    node_id: str
    sha: str
    context: str
    state: str
    description: str | None
    target_url: str | None
    creator: str
    created_at: float


@dataclass(slots=True, eq=False)
class Checks:
    """All of a repository."""

    runs: list[CheckRun] = field(default_factory=list)
    suites: list[Suite] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)
    workflow_runs: list[WorkflowRun] = field(default_factory=list)
    by_sha: dict[str, list[CheckRun]] = field(default_factory=dict)
    statuses_by_sha: dict[str, list[Status]] = field(default_factory=dict)

    def latest(self, sha: str) -> list[CheckRun]:
        """Check runs of a commit without those that were run again."""
        return [run for run in self.by_sha.get(sha, []) if not run.replaced]

    def contexts(self, sha: str) -> list[Status]:
        """The newest status of each context of a commit."""
        newest = {status.context: status for status in self.statuses_by_sha.get(sha, [])}
        return list(newest.values())


_WORST = ("failure", "timed_out", "startup_failure", "action_required", "cancelled", "stale")
PASSING = ("success", "neutral", "skipped")


def worst(conclusions: list[str | None]) -> str:
    """One conclusion for several."""
    return next((name for name in _WORST if name in conclusions), "success")
