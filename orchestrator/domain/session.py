"""A session: one agent on one task. Five facts are kept, each with reason, evidence and time; the status is derived.

What is wanted, how far setting up has come, what the agent does, whether its runtime lives, its changes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from orchestrator.domain.activity import Activity, ActivityState, ToolCall
from orchestrator.domain.event import Event
from orchestrator.domain.held import Held
from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.message import Message
from orchestrator.domain.person import Actor
from orchestrator.domain.pull_request import PullRequest, PullRequestState
from orchestrator.domain.status import Status
from orchestrator.domain.uncarried import UncarriedReview
from orchestrator.domain.usage import Used


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What the agent is asked to do. `title` and `body` may be outside text."""

    issue: str = ""
    """The tracker's ref; empty for a task given in words."""
    title: str = ""
    url: str = ""
    prompt: str = ""
    """What a person added, or the whole task where there is no issue."""
    plan: bool = False
    """The agent has its plan approved before it changes anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Names of the plugins that this session was made with; they stay when the settings change."""

    runtime: str
    agent: str
    workspace: str
    tracker: str
    scm: str


class WantedState(StrEnum):
    """What a person, or a rule, wants of the session."""

    RUN = "run"
    PAUSE = "pause"
    STOP = "stop"


class StopReason(StrEnum):
    """Why a session is to stop; decides what its end is called."""

    KILLED = "killed"
    MERGED = "merged"
    FAILED = "failed"
    """Setting up failed; it is rolled back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is wanted, by whom, since when."""

    state: WantedState
    by: Actor
    at: float
    reason: StopReason | None = None
    words: str = ""


class SetupStep(StrEnum):
    """How far making the session has come. One that is restored goes through all of it again."""

    QUEUED = "queued"
    RESERVING = "reserving"
    WORKSPACE = "workspace"
    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """The step reached, and why it is there (`waits: 30 of 30 sessions run`)."""

    step: SetupStep
    at: float
    reason: str = ""
    resume: bool = False
    """The agent goes on in its own conversation where it can (after restore)."""


class RuntimeState(StrEnum):
    """Whether what holds the agent's terminal is there."""

    NONE = "none"
    """Not started yet, or taken down on purpose."""
    ALIVE = "alive"
    EXITED = "exited"
    MISSING = "missing"
    UNKNOWN = "unknown"
    """Could not look. Never the same as dead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeFact:
    """Whether the runtime lives; while in doubt, how often and since when."""

    state: RuntimeState
    at: float
    reason: str = ""
    exit_code: int | None = None
    doubts: int = 0
    """Looks in a row that did not find it alive."""
    doubt_since: float | None = None
    lost: bool = False
    """Gone together with all others (the machine was restarted): one alarm for all, not one each."""

    @property
    def gone(self) -> bool:
        """Its program has ended, or its terminal is not there: nothing runs."""
        return self.state in {RuntimeState.EXITED, RuntimeState.MISSING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What the agent does, and since when it shows no progress."""

    activity: Activity
    at: float
    """When we last looked with success."""
    progress_at: float
    """When anything last moved: a signal, the screen, a commit."""
    screen_digest: str = ""
    disagreement: str = ""
    """Sources that contradict each other, in words; shown, not hidden."""
    conversation: str = ""
    """The agent's own name for its conversation, for going on in it later."""
    reported: str = ""
    """The agent's last own report, in its words."""
    reported_done: bool = False
    """That report was `ao done`, and it has not begun to work again since."""
    reported_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A person's approval, bound to the head that was shown."""

    by: Actor
    head: str
    at: float
    carried: str = ""  # how it reached a forge that knows people: `as a review by ana-gh`


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One pull request of the session and what we know and did about it."""

    pr: PullRequest
    at: float
    """When the forge was last seen with success."""
    since: float = 0.0
    """When its state, head, checks, decision or mergeability last changed."""
    unseen: str = ""
    """Why the last look failed; empty when it did not."""
    red_heads: tuple[str, ...] = ()
    """Head SHAs that were red, in order; cleared by a green head or a person's Retry."""
    approvals: tuple[Approval, ...] = ()
    merged_by: str = ""
    """Who asked us to merge it; empty when it was merged elsewhere."""
    merged_at: float = 0.0
    asked_head: str = ""  # the newest head for which somebody asked for changes here
    asked_by: str = ""
    uncarried: tuple[UncarriedReview, ...] = ()  # reviews given here that the forge has not got yet
    merged_via: str = ""  # where they asked: `slack`, `web`; empty also where that was not kept yet
    merged_as: str = ""  # with whose rights on the forge; empty: ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something that the agent wants from a person."""

    id: str
    text: str
    asked_at: float
    options: tuple[str, ...] = ()
    source: str = "ask"
    """`ask`: through the agent-side `ao ask`. `dialog`: on its own screen."""
    request: str = ""
    """The outbox request that waits for the answer."""
    call: ToolCall | None = None
    """What leave is asked for, where it is that."""
    remember: bool = False
    """The answer holds for every session of the project with this agent."""
    answer: str = ""
    answered_by: Actor | None = None
    answered_at: float | None = None
    delivered: bool = False
    delivered_at: float = 0.0
    withdrawn: bool = False
    """The agent went on without an answer."""
    dialog: str = ""
    """The dialog's own name, where the same one had been asked about before: `id` is of this appearance."""
    gone: bool = False
    """The dialog was seen to have gone: the same one on the screen again is a new question."""
    many: bool = False
    """More than one of the options may be chosen; the answer then names them with commas between."""
    given: tuple[str, ...] = ()
    """Answers to the questions that the same dialog asked before this one."""
    more: bool = False
    """The dialog asks more after this one: the answers are given together, with the last."""
    for_people: bool = False
    """A rule's answer, or one that was given before, did not take it away: only a person answers it."""

    @property
    def standing(self) -> str:
        """What the agent calls the dialog while it stands."""
        return self.dialog or self.id

    @property
    def open(self) -> bool:
        """Nobody has answered, and the agent still waits."""
        return self.answered_at is None and not self.withdrawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What a reaction has done so far about one condition."""

    key: str
    """The reaction's key: `ci-failed`."""
    fingerprint: str
    """What it was last done about: a head SHA, sorted comment ids and bodies."""
    count: int
    """Tries since the trouble began; 0: settled, or it waits for a person."""
    first_at: float
    last_at: float
    escalated_at: float | None = None
    sent: tuple[str, ...] = ()
    """Heads that the agent was told of; forgotten only by a person's Retry, not by a green head."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """Something that cannot be repeated, kept before it is done, taken away after."""

    key: str
    """`merge`, `type:7`, `publish`."""
    at: float
    data: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescue:
    """Work that was saved before something was removed."""

    ref: str
    commit: str
    at: float
    summary: str
    """`3 changed files, 1 unpushed commit`."""


class EndingStep(StrEnum):
    """How far taking a session down has come. Each step is repeatable."""

    NONE = "none"
    RUNTIME = "runtime"
    RESCUE = "rescue"
    WORKSPACE = "workspace"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How far the end has come, and what held it up."""

    step: EndingStep = EndingStep.NONE
    at: float = 0.0
    reason: str = ""
    tries: int = 0
    """Failures so far; the first is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The answer to a request of the agent, kept before it is given: asked again, it is the same."""

    request: str
    code: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusLine:
    """The status that people see, with its reason and its evidence in words."""

    status: Status
    reason: str
    evidence: str
    since: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One session as kept. Changed only by `dataclasses.replace` under its lock."""

    id: SessionId
    project: ProjectId
    created_at: float
    created_by: Actor
    task: Task
    parts: Parts
    branch: str
    base: str
    """The branch it started from and is merged into."""
    base_sha: str = ""
    base_source: str = ""
    """What `git fetch` takes to get the newest base, without any credentials."""
    workspace: str = ""
    """Path of the workspace in the session's place; empty before it exists."""
    wanted: Wanted
    setup: Setup
    work: Work
    runtime: RuntimeFact
    status: StatusLine
    changes: tuple[Change, ...] = ()
    questions: tuple[Question, ...] = ()
    messages: tuple[Message, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    intents: tuple[Intent, ...] = ()
    rescues: tuple[Rescue, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    ending: Ending = Ending()
    held: Held = field(default_factory=Held)
    hold: Actor | None = None
    """Who said that nobody merges this."""
    hold_at: float = 0.0
    restored_from: str = ""
    """What the workspace starts from instead of the base: a rescue ref, or a commit in the mirror."""
    claiming: int = 0
    """Number of the pull request that is handed over to it once its workspace stands on that head."""
    local_head: str = ""
    """Newest commit in the session's own branch, as last seen."""
    dirty: int = 0
    """Files with uncommitted changes, as last seen."""
    published: str = ""
    """Newest commit of the session that the forge took from us."""
    past: tuple[int, ...] = ()
    """Numbers of pull requests that were over before it was restored: they end it no more."""
    unasked: bool = False
    """The agent was started so that it runs whatever it likes without asking (`permissionless`)."""
    used: Used | None = None
    """What its agent has used of the model, as far as the agent says."""
    issue_told: str = ""
    """The issue's state that the tracker was last told: `in_progress`, `in_review`, `closed`."""
    event_serial: int = 0
    message_serial: int = 0
    outbox: tuple[Event, ...] = ()

    @property
    def change(self) -> Change | None:
        """The session's pull request; one today, a list for the day there are several.

        What was over before it was restored (`past`) is history, unless somebody opened it again.
        """
        last = self.changes[-1] if self.changes else None
        return None if last is None or (last.pr.number in self.past and last.pr.over) else last

    @property
    def merged(self) -> Change | None:
        """The newest of its pull requests that is merged, also before it was restored."""
        return next((c for c in reversed(self.changes) if c.pr.state is PullRequestState.MERGED), None)

    @property
    def question(self) -> Question | None:
        """The question that waits for an answer, if any."""
        return next((q for q in reversed(self.questions) if q.open), None)

    @property
    def failed(self) -> bool:
        """It could not be set up, and nobody has said yet what is to become of it."""
        return self.setup.step is SetupStep.FAILED and self.wanted.state is not WantedState.STOP

    @property
    def ended(self) -> bool:
        """Nothing more is to be done for it: it may be moved to the ended ones."""
        return self.wanted.state is WantedState.STOP and self.ending.step is EndingStep.DONE


def new_activity(now: float) -> Work:
    """What is known of an agent that has not been started."""
    return Work(activity=Activity(state=ActivityState.UNKNOWN, at=now), at=now, progress_at=now)
