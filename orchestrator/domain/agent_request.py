"""What an agent asks of us through its folder: parsed, bounded, and cleaned like all outside text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from orchestrator.domain.ids import SessionId, branch_name
from orchestrator.domain.outside_text import excerpt, one_line
from orchestrator.errors import BadInput

MOST_BYTES = 256 * 1024
MOST_PERMIT = 1024 * 1024
"""A call that is judged may hold a whole file."""
MOST_FIELDS = 64
MOST_OPTIONS = 10
MOST_BODY = 60_000
"""Forges refuse pull request texts over 65,536 characters."""
MOST_TEXT = 4_000
APPROVE_PLAN = "Approve the plan"
PLAN_ANSWERS = "any other text goes to the agent as what is to be different"
"""What people are told beside that option."""

_NAME = re.compile(r"([0-9]{9,11})-([0-9]{1,10})-([A-Za-z0-9]{1,24})")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_THREAD = re.compile(r"[A-Za-z0-9_=-]{1,100}")
_HEADS = "refs/heads/"
_HEADING = re.compile(r"\A#*[ \t]*(?:(?:my|the)[ \t]+)?plan[ \t]*:?[ \t]*\n\s*", re.IGNORECASE)
"""A first line that says only that it is a plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRequest:
    """One request as it lay in the outbox."""

    id: str
    """The file's name: `<epoch>-<pid>-<random>`."""
    session: SessionId
    verb: str
    args: tuple[str, ...]
    at: float
    """When the agent says that it asked (epoch seconds)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantsPullRequest:
    """`ao pr create` and `ao pr update`. None: leave it, or choose something fitting."""

    update: bool
    title: str | None = None
    body: str | None = None
    draft: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WantsReady:
    """`ao pr ready`: the draft can be reviewed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantsReply:
    """`ao pr reply`: say something in a review thread."""

    thread: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WantsResolved:
    """`ao pr resolve`: a review thread is dealt with."""

    thread: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WantsPush:
    """`git push`: bring `commit` to `branch`.

    Forced or not is the same: what the session published itself may be replaced, nothing else ever is.
    """

    commit: str
    branch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """`ao report`: what the agent says that it does."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asks:
    """`ao ask`: the agent waits for a person's answer."""

    question: str
    options: tuple[str, ...] = ()
    plan: bool = False
    """The question is a plan: a person approves it, or says in words what is to be different."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaysDone:
    """`ao done`: the agent says that the task is finished."""

    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantsLeave:
    """The agent's hook asks, before a tool runs, what our rules say of it."""

    payload: str
    """What the agent gave its hook, in its own form; empty where that is too large, or is not whole."""


Wish: TypeAlias = (
    WantsPullRequest
    | WantsReady
    | WantsReply
    | WantsResolved
    | WantsPush
    | Reports
    | Asks
    | SaysDone
    | WantsLeave
)

PERMIT = "permit"
"""The verb of the agent's hook: an agent waits for its answer before each call that is judged."""


def is_plan(options: tuple[str, ...]) -> bool:
    """Whether a question with these options has a plan approved."""
    return options == (APPROVE_PLAN,)


def is_request_name(name: str) -> bool:
    """Whether a file of that name can be a request."""
    return _NAME.fullmatch(name) is not None


def parse(session: SessionId, name: str, data: bytes) -> AgentRequest:
    """The request in the outbox file `name`. Raises `BadInput`; the message is for the agent."""
    match = _NAME.fullmatch(name)
    if not match:
        msg = f"{name[:80]!r} is no name of a request."
        raise BadInput(msg, session=session)
    permit = data.startswith(f"{PERMIT}\0".encode())
    if permit and len(data) > MOST_PERMIT:
        # It is answered like any other that cannot be read, and not with an error that a hook may overlook.
        data = f"{PERMIT}\0\0".encode()
    if len(data) > MOST_BYTES and not permit:
        msg = f"The request is larger than {MOST_BYTES} bytes."
        raise BadInput(msg, session=session)
    if not data.endswith(b"\0"):
        msg = "The request is not whole: each argument ends with a NUL."
        raise BadInput(msg, session=session)
    fields = data[:-1].decode(errors="replace").split("\0")
    if len(fields) > MOST_FIELDS:
        msg = f"The request has more than {MOST_FIELDS} arguments."
        raise BadInput(msg, session=session)
    return AgentRequest(
        id=name, session=session, verb=fields[0], args=tuple(fields[1:]), at=float(match.group(1))
    )


def wish(request: AgentRequest) -> Wish:
    """What the request asks for, with every text cleaned, masked and bounded. Raises `BadInput`."""
    match request.verb:
        case "pr":
            return _on_pull_request(request)
        case "push":
            return _push(request)
        case "report":
            return Reports(text=_text(request, "ao report TEXT"))
        case "ask":
            return _ask(request)
        case "done":
            return SaysDone(text=excerpt(" ".join(request.args), MOST_TEXT).strip())
        case "permit":
            return WantsLeave(payload=request.args[0] if len(request.args) == 1 else "")
        case _:
            raise _bad(request, f"There is no verb {one_line(request.verb, 40)!r}; see `ao help`.")


def _on_pull_request(request: AgentRequest) -> WantsPullRequest | WantsReady | WantsReply | WantsResolved:
    kind, *rest = request.args or ("",)
    match kind:
        case "create" | "update":
            return _pull_request(request, kind, rest)
        case "ready":
            if rest:
                raise _bad(request, "Say `ao pr ready`, with nothing after it.")
            return WantsReady()
        case "resolve":
            if len(rest) != 1:
                raise _bad(request, "Say `ao pr resolve THREAD`.")
            return WantsResolved(thread=_thread(request, rest[0]))
        case "reply":
            text = excerpt(" ".join(rest[1:]), MOST_TEXT).strip()
            if not text:
                raise _bad(request, "Say `ao pr reply THREAD TEXT`.")
            return WantsReply(thread=_thread(request, rest[0]), text=text)
        case _:
            raise _bad(request, "Say `ao pr create`, `update`, `ready`, `reply` or `resolve`.")


def _thread(request: AgentRequest, word: str) -> str:
    if not _THREAD.fullmatch(word):
        raise _bad(
            request, f"{one_line(word, 40)!r} is no thread: take the name that stands beside the comment."
        )
    return word


def _pull_request(request: AgentRequest, kind: str, rest: list[str]) -> WantsPullRequest:
    title = body = None
    draft = False
    for option, value in _options(request, rest, with_value=("--title", "--body"), plain=("--draft",)):
        if option == "--title":
            title = one_line(excerpt(value, 1000), 200)
        elif option == "--body":
            body = excerpt(value, MOST_BODY)
        elif option == "--draft":
            draft = True
        else:
            raise _bad(request, f"`ao pr {kind}` does not understand {one_line(value, 80)!r}.")
    if title == "":
        raise _bad(request, "The title is empty.")
    return WantsPullRequest(update=kind == "update", title=title, body=body, draft=draft)


def _push(request: AgentRequest) -> WantsPush:
    if len(request.args) != 2:
        raise _bad(request, "A push is a commit and a branch.")
    commit, target = request.args
    if not _COMMIT.fullmatch(commit):
        raise _bad(request, "The commit is no full object name.")
    if not target.startswith(_HEADS):
        raise _bad(request, "Only branches are pushed here, no tags and no other refs.")
    return WantsPush(commit=commit, branch=branch_name(target.removeprefix(_HEADS)))


def _ask(request: AgentRequest) -> Asks:
    words: list[str] = []
    options: list[str] = []
    plans: list[str] = []
    lists = {"--option": options, "--plan": plans}
    for option, value in _options(request, request.args, with_value=("--option", "--plan")):
        lists.get(option, words).append(value)
    if plans:
        return _plan(request, plans)
    question = excerpt(" ".join(words), MOST_TEXT).strip()
    shown = tuple(dict.fromkeys(one_line(excerpt(text, 1000), 75) for text in options))
    if not question:
        raise _bad(request, "Say `ao ask QUESTION [--option O]...`.")
    if len(shown) > MOST_OPTIONS or "" in shown:
        raise _bad(request, f"At most {MOST_OPTIONS} options, and none of them empty.")
    return Asks(question=question, options=shown)


def _plan(request: AgentRequest, plans: list[str]) -> Asks:
    text = excerpt("\n".join(plans), MOST_BODY).strip()
    if not text:
        raise _bad(request, "The plan is empty.")
    text = _HEADING.sub("", text, count=1) or text
    return Asks(question=f"Its plan: {text}", options=(APPROVE_PLAN,), plan=True)


def _text(request: AgentRequest, usage: str) -> str:
    text = excerpt(" ".join(request.args), MOST_TEXT).strip()
    if not text:
        raise _bad(request, f"Say `{usage}`.")
    return text


def _options(
    request: AgentRequest,
    args: list[str] | tuple[str, ...],
    *,
    with_value: tuple[str, ...],
    plain: tuple[str, ...] = (),
) -> Iterator[tuple[str, str]]:
    """(option, value) in order, `("", word)` for a word that is no option. `--` ends the options."""
    words = iter(args)
    for word in words:
        name, equals, value = word.partition("=")
        if word == "--":
            yield from (("", rest) for rest in words)
        elif name in with_value:
            given = value if equals else next(words, None)
            if given is None:
                raise _bad(request, f"{name} needs a value.")
            yield name, given
        elif word in plain:
            yield word, ""
        else:
            yield "", word


def _bad(request: AgentRequest, what: str) -> BadInput:
    return BadInput(what, session=request.session)
