"""What the API is asked and answers, as pydantic models, for OpenAPI; imported only when that is asked for.

A test compares them with what is really answered. Keys are added, never renamed: let pass what you do not know.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from orchestrator.domain.status import Status


class Shape(BaseModel):
    """All keys are known here; whoever reads over the network lets others pass."""

    model_config = ConfigDict(extra="forbid")


class Used(Shape):
    """What a session used over all its runs."""

    input_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    dollars: float | None
    context_percent: float | None
    model: str


class Check(Shape):
    """One check of a pull request."""

    name: str
    state: str
    url: str


class Approval(Shape):
    """An approval, and the commit that it was given for."""

    by: str
    head: str
    at: float


class PullRequest(Shape):
    """A session's pull request."""

    number: int
    url: str
    title: str
    state: str
    head: str
    base: str
    checks: str
    runs: list[Check]
    review: str
    approvals: list[Approval]
    mergeable: str
    blockers: list[str]
    additions: int | None
    deletions: int | None
    files: int | None
    notes: list[str]
    red_heads: list[str]
    merge_commit: str
    unseen: str


class Call(Shape):
    """What an agent asks leave for."""

    tool: str
    argument: str


class Question(Shape):
    """What an agent asks."""

    id: str
    text: str
    options: list[str]
    many: bool
    asked_at: float
    open: bool
    call: Call | None
    answer: str
    answered_by: str


class Session(Shape):
    """A session, short. Times are seconds since the epoch, UTC."""

    id: str
    project: str
    status: Status
    reason: str
    evidence: str
    since: float
    created_at: float
    created_by: str
    issue: str
    title: str
    url: str
    agent: str
    branch: str
    base: str
    wanted: str
    hold: str
    ended: bool
    used: Used | None
    pull_request: PullRequest | None
    question: Question | None


class Setup(Shape):
    """How far a session is set up."""

    step: str
    reason: str


class Runtime(Shape):
    """Its terminal."""

    state: str
    reason: str


class Work(Shape):
    """What its agent does, and how we know."""

    state: str
    source: str
    evidence: str
    reported: str
    reported_done: bool
    disagreement: str
    trouble: str
    until: float | None


class ToAgent(Shape):
    """A message to the agent, and how far it has come."""

    number: int
    by: str
    at: float
    stage: str
    reason: str
    text: str


class Rescue(Shape):
    """Saved work."""

    ref: str
    commit: str
    at: float
    summary: str


class SessionInFull(Session):
    """A session with all that is known of it."""

    workspace: str
    setup: Setup
    runtime: Runtime
    work: Work
    uncommitted_files: int
    local_head: str
    messages: list[ToAgent]
    questions: list[Question]
    held: list[str]
    rescues: list[Rescue]
    ending: Setup


class Sessions(BaseModel):
    """All sessions."""

    model_config = ConfigDict(extra="allow")

    sessions: list[Session]


class Health(Shape):
    """The server."""

    ok: bool
    version: str
    pid: int
    started_at: float
    seq: int = Field(description="Number of the newest event.")
    ends_with_ao: list[str]


class Limit(Shape):
    """What is left of a limit."""

    name: str
    limit: int
    remaining: int
    resets_at: float
    calls: int
    words: str


class Healthz(Shape):
    """Whether the fleet is looked after."""

    ok: bool
    reasons: list[str]
    degraded: list[str] = Field(
        description="Chat surfaces and forges that are away, behind, or do not let us in."
    )
    webhooks: dict[str, str]
    limits: list[Limit] = Field(description="What is left of the limits that outside services set.")
    version: str


class Event(Shape):
    """One line of the event stream."""

    seq: int = Field(description="Give it as `after` to go on behind this one.")
    id: str
    type: str
    at: float
    project: str
    session: str | None
    level: str
    text: str
    data: dict[str, JsonValue]


class Ask(BaseModel):
    """A verb with its arguments by name; docs/verbs.md lists them."""

    verb: str
    arguments: dict[str, JsonValue] = {}
    head: str | None = Field(
        default=None, description="The commit that was seen; needed by merge, approve, request-changes."
    )
    preview: bool = Field(default=False, description="Only show the facts and the head.")


class Fact(Shape):
    """A fact with its name."""

    label: str
    value: str


class Button(Shape):
    """A verb that can be asked for next, exactly so."""

    label: str
    verb: str
    arguments: dict[str, str]
    danger: bool


class Table(Shape):
    """Rows under column names."""

    columns: list[str]
    rows: list[list[str]]
    cut: list[str] = []
    wrap: bool = False


class Answer(Shape):
    """What a verb says. What is empty is left out."""

    title: str
    lines: list[str] = []
    fields_: list[Fact] = Field(default=[], alias="fields")
    verbatim: bool = False
    table: Table | None = None
    buttons: list[Button] = []
    level: str
    next_steps: list[str] = []
    session: str = ""
    data: JsonValue = None


class Done(Shape):
    """It was done."""

    request: str = Field(description="Empty for what only looks: that is not kept.")
    state: Literal["done"]
    message: Answer


class Shown(Shape):
    """The facts to show before a yes is asked."""

    state: Literal["preview"]
    message: Answer


class Running(Shape):
    """It is kept and runs; ask for the request by its id."""

    request: str
    state: Literal["running"]


class Problem(Shape):
    """Why it was not done."""

    code: str
    what: str
    next_step: str
    session: str | None
    request: str = ""


MODELS: tuple[type[BaseModel], ...] = (
    Sessions, SessionInFull, Health, Healthz, Event, Ask, Done, Shown, Running, Problem,
)  # fmt: skip
