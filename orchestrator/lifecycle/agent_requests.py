"""What agents ask for through their folder, carried out. The answer is kept before it is given.

A request that was answered before a crash gets the same answer again and is not carried out twice.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from orchestrator.domain.activity import ToolCall, Verdict
from orchestrator.domain.agent_request import (
    PERMIT,
    AgentRequest,
    Asks,
    Reports,
    SaysDone,
    WantsLeave,
    WantsPullRequest,
    WantsPush,
    WantsReady,
    WantsReply,
    WantsResolved,
    wish,
)
from orchestrator.domain.counted import counted
from orchestrator.domain.held import PullRequestWords
from orchestrator.domain.ids import SessionId
from orchestrator.domain.message import digest
from orchestrator.domain.policy import Judgement, described, judge
from orchestrator.domain.session import Outcome, Question, Session, WantedState
from orchestrator.errors import AoError, BadInput, Conflict, TemporaryError
from orchestrator.lifecycle import agent_folder, decide, forge, holding, outsiders, permissions, pull_requests
from orchestrator.lifecycle.changes import OPEN, PUBLISHING
from orchestrator.lifecycle.draft import Draft
from orchestrator.lifecycle.fleet import Fleet
from orchestrator.ports.agent import JudgesCalls

log = logging.getLogger(__name__)
KEPT_OUTCOMES = 20
REFUSED = 1


class AgentRequests:
    """Takes requests up: one at a time for each session, but a hook that waits at once."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._in_hand: set[tuple[SessionId, str]] = set()
        self._turns: dict[SessionId, asyncio.Lock] = {}
        self._denied: dict[SessionId, str] = {}
        """A digest of the call of each session that was denied last: the same again is no news."""

    async def take(self, session: Session) -> None:
        """Carry out whatever waits in the session's outbox now and is not in hand yet."""
        place = await self._fleet.world.place(session)
        seen = {q.request for q in session.questions if q.open or not q.delivered}
        seen |= {request for owner, request in self._in_hand if owner == session.id}
        found = await agent_folder.requests(place, session.id, seen)
        mine = {(session.id, request.id) for request in found} - self._in_hand
        self._in_hand |= mine
        try:
            requests = [request for request in found if (session.id, request.id) in mine]
            for request in requests:
                if request.verb == PERMIT:
                    await self._one(request)
            async with self._turns.setdefault(session.id, asyncio.Lock()):
                for request in requests:
                    if request.verb != PERMIT:
                        await self._one(request)
        finally:
            self._in_hand -= mine

    def forget(self, session: SessionId) -> None:
        """The session has ended."""
        self._turns.pop(session, None)
        self._denied.pop(session, None)

    async def _one(self, request: AgentRequest) -> None:
        session = self._fleet.get(request.session)
        place = await self._fleet.world.place(session)
        outcome = next((o for o in session.outcomes if o.request == request.id), None)
        if outcome is None:
            try:
                outcome = await self._carry_out(session, request)
            except TemporaryError as error:
                # It stays in the outbox and is taken up again; the agent waits meanwhile.
                log.warning("agent request waits: %s", error, extra={"session": session.id})
                return
            except AoError as error:
                outcome = Outcome(request=request.id, code=REFUSED, text=f"ao: {error}")
        if outcome is None:
            return
        if request.verb != PERMIT:  # asking that again is harmless
            await self._keep(session, outcome)
        await agent_folder.answer(place, outcome.request, outcome.code, outcome.text)
        await agent_folder.forget(place, outcome.request)

    async def _keep(self, session: Session, outcome: Outcome) -> None:
        def put(draft: Draft) -> None:
            known = draft.session.outcomes
            if all(o.request != outcome.request for o in known):
                draft.set(outcomes=(*known, outcome)[-KEPT_OUTCOMES:])

        await self._fleet.change(session.id, put)

    async def _carry_out(self, session: Session, request: AgentRequest) -> Outcome | None:
        """The answer, or None when it comes later (a person has to give it)."""
        match wish(request):
            case WantsPullRequest() | WantsPush() | WantsReady() | WantsReply() | WantsResolved() as asked:
                return Outcome(request=request.id, code=0, text=await self._on_forge(session, asked))
            case Reports(text=text):
                return await self._told(session, request, "agent.reported", text)
            case SaysDone(text=text):
                return await self._told(session, request, "agent.done", text or "done")
            case WantsLeave(payload=payload):
                return Outcome(request=request.id, code=0, text=await self._leave(session, payload))
            case Asks() as asks:
                known = next((q for q in session.questions if q.request == request.id), None)
                if known is not None and known.delivered:
                    return Outcome(request=request.id, code=0, text=known.answer)
                await self._fleet.change(session.id, lambda d: _ask(d, request, asks))
                return None

    async def _leave(self, session: Session, payload: str) -> str:
        """What the agent's hook is to print; nothing where the agent's own mode shall decide."""
        agent = self._fleet.world.agent(session)
        if not isinstance(agent, JudgesCalls):
            return ""
        policy = permissions.policy_for(session, self._fleet.world.config.rules(session.project))
        call = agent.tool_call(payload) if payload else None
        if call is not None:
            judgement = judge(policy, call)
        elif policy.judged:
            judgement = Judgement(
                verdict=Verdict.DENY, words="the call could not be read, and there are rules"
            )
        else:
            return ""
        if judgement.verdict is None:
            return ""
        if judgement.verdict is Verdict.DENY:
            await self._tell_denied(session, call, judgement.words)
        return agent.verdict(judgement.verdict, permissions.reason(judgement))

    async def _tell_denied(self, session: Session, call: ToolCall | None, words: str) -> None:
        call = call or ToolCall(tool="?", argument="")
        told = digest(f"{call.tool} {call.argument}")
        if self._denied.get(session.id) == told:
            return
        self._denied[session.id] = told
        text = f"denied: {described(call)}, by the rule {words}"
        await self._fleet.change(
            session.id, lambda d: permissions.tell(d, "policy.denied", text, call, words)
        )

    async def _told(self, session: Session, request: AgentRequest, kind: str, text: str) -> Outcome:
        """Kept together with its outcome, so that it is told once."""
        outcome = Outcome(request=request.id, code=0, text="noted")
        done = kind == "agent.done"

        def put(draft: Draft) -> None:
            work = draft.session.work
            said = replace(work, reported=text, reported_done=done, reported_at=draft.now)
            draft.set(
                work=replace(said, progress_at=draft.now),
                outcomes=(*draft.session.outcomes, outcome)[-KEPT_OUTCOMES:],
            )
            draft.tell(kind, text)

        await self._fleet.change(session.id, put)
        return outcome

    async def _pull_request(self, session: Session, pull: WantsPullRequest) -> str:
        await self._fleet.change(session.id, _begin_publishing)
        try:
            return await self._open(session, pull)
        except AoError:
            await self._fleet.change(session.id, lambda d: d.close_intent(PUBLISHING))
            raise

    async def _open(self, session: Session, pull: WantsPullRequest) -> str:
        look = await forge.look_at_workspace(self._fleet, session)
        if look.branch != session.branch:
            msg = f"HEAD is on {look.branch or 'no branch'}; this session's branch is {session.branch}."
            raise Conflict(msg, next_step=f"Bring your commits to {session.branch} and try again.")
        if look.head == session.base_sha:
            msg = f"{session.branch} has no commit of its own yet."
            raise BadInput(msg, next_step="Commit your work first.")
        has_one = session.change is not None and session.change.pr.state in OPEN
        title = pull.title or ("" if has_one else outsiders.title_of(session) or session.branch)
        body = _body(session, pull.body) if not has_one or pull.body else ""
        words = PullRequestWords(title=title, body=body, draft=pull.draft)
        try:
            shown = await forge.push(self._fleet, session, look.head, words)
        except Conflict as error:
            refusal = error
            await self._fleet.change(session.id, lambda d: holding.not_taken(d, refusal))
            raise
        if shown is None:
            msg = "the forge made no pull request."
            raise AoError(msg)
        are = "is" if look.dirty == 1 else "are"
        note = f"\nNote: {counted(look.dirty, 'uncommitted file')} {are} not in it." if look.dirty else ""
        return f"#{shown.number} {shown.url}\n{shown.title}{note}"

    async def _on_forge(
        self, session: Session, asked: WantsPullRequest | WantsPush | WantsReady | WantsReply | WantsResolved
    ) -> str:
        if isinstance(asked, WantsPullRequest):
            return await self._pull_request(session, asked)
        _refuse_ended(session)
        match asked:
            case WantsPush():
                return await self._push(session, asked)
            case WantsReady():
                await pull_requests.set_draft(self._fleet, session, draft=False, by=str(session.id))
                return "ready for review"
            case WantsReply(thread=thread, text=text):
                await pull_requests.reply(self._fleet, session, thread, text, by=str(session.id))
                return "answered"
            case WantsResolved(thread=thread):
                await pull_requests.resolve(self._fleet, session, thread, by=str(session.id))
                return "resolved"

    async def _push(self, session: Session, push: WantsPush) -> str:
        if push.branch != session.branch:
            msg = f"only {session.branch} can be pushed from this session, not {push.branch}."
            raise BadInput(msg)
        await forge.push(self._fleet, session, push.commit)
        has_one = session.change is not None and session.change.pr.state in OPEN
        return "pushed" if has_one else "pushed; `ao pr create` opens the pull request"


def _begin_publishing(draft: Draft) -> None:
    """From here on a clean-up after a merge waits: it would take away what is just being published."""
    _refuse_ended(draft.session)
    draft.open_intent(PUBLISHING)


def _refuse_ended(session: Session) -> None:
    if session.wanted.state is WantedState.STOP:
        msg = f"{session.wanted.words or 'it ends'}; this session is over."
        raise Conflict(msg, next_step="What is committed and in the workspace is saved.")


def _body(session: Session, body: str | None) -> str:
    """The pull request's text, which always names the issue."""
    link = session.task.url or (f"issue {session.task.issue}" if session.task.issue else "")
    parts = [body or "", f"For {link}." if link else "", f"Session {session.id}."]
    return "\n\n".join(part for part in parts if part)


def _ask(draft: Draft, request: AgentRequest, asks: Asks) -> None:
    if any(q.request == request.id for q in draft.session.questions):
        return
    question = Question(
        id=f"q{digest(request.id)[:8]}",
        text=asks.question,
        asked_at=draft.now,
        options=asks.options,
        source="ask",
        request=request.id,
    )
    decide.ask(draft, question)
