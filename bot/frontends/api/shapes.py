"""What the API is asked and answers, as pydantic models, for OpenAPI; imported only when that is asked for.

A test compares them with what is really answered. Keys are added, never renamed: let pass what you do not know.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic.json_schema import models_json_schema

from orchestrator.domain.status import Status

_REF = "#/components/schemas/{model}"


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
    degraded: list[str] = Field(description="Chat surfaces that are away or behind.")
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


def openapi(version: str) -> dict[str, Any]:
    """The document, for OpenAPI 3.1."""
    _, schemas = models_json_schema([(model, "validation") for model in MODELS], ref_template=_REF)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Agent Orchestrator", "version": version},
        "security": [{"token": []}],
        "paths": _paths(),
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _paths() -> dict[str, Any]:
    which = (_query("project", "string"), _query("ended", "string"))
    unwell = _said("503", "It is not.", Healthz)
    session = _in_path("session", "Its id, issue or pull request.")
    key = {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 200}}
    return {
        "/api/v1/health": _get("Version and newest event.", _ok(Health)),
        "/api/v1/sessions": _get("Sessions.", _ok(Sessions), *which),
        "/api/v1/sessions/{session}": _get("One session.", _ok(SessionInFull), session),
        "/api/v1/actions": {
            "post": {
                "summary": "Run a verb. Asking twice with one key is asking once.",
                "parameters": [key, _query("wait", "number")],
                "requestBody": {"required": True, "content": _json(Ask)},
                "responses": {**_ok(Done, Shown), **_said("202", "It runs.", Running), **_refusals()},
            }
        },
        "/api/v1/requests/{request}": _get(
            "How a request stands.",
            {**_ok(Done), **_said("202", "It runs.", Running)},
            _in_path("request", "From the 202."),
            _query("wait", "number"),
        ),
        "/api/v1/events": _get(
            "Events after a number, one JSON object a line.",
            _said("200", "Lines.", Event, kind="application/x-ndjson"),
            *(_query(name, kind) for name, kind in _EVENTS),
        ),
        "/healthz": _get("200 while the fleet is looked after.", {**_ok(Healthz), **unwell}),
        "/metrics": _get(
            "Numbers for Prometheus.",
            {"200": {"description": "Text.", "content": {"text/plain": {"schema": {"type": "string"}}}}},
        ),
    }


_EVENTS = (("after", "integer"), ("limit", "integer"), ("wait", "number"), ("follow", "integer"))


def _get(summary: str, answers: dict[str, Any], *parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "get": {"summary": summary, "parameters": list(parameters), "responses": {**answers, **_refusals()}}
    }


def _ok(*models: type[BaseModel]) -> dict[str, Any]:
    return _said("200", "Done.", *models)


def _refusals() -> dict[str, Any]:
    return _said("default", "Refused, or gone wrong.", Problem)


def _said(
    status: str, words: str, *models: type[BaseModel], kind: str = "application/json"
) -> dict[str, Any]:
    return {status: {"description": words, "content": _json(*models, kind=kind)}}


def _json(*models: type[BaseModel], kind: str = "application/json") -> dict[str, Any]:
    refs = [{"$ref": _REF.format(model=model.__name__)} for model in models]
    return {kind: {"schema": refs[0] if len(refs) == 1 else {"anyOf": refs}}}


def _query(name: str, kind: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": {"type": kind}}


def _in_path(name: str, words: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "description": words, "schema": {"type": "string"}}
