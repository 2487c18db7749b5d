"""A forge in memory that knows people: they sign in, and what they decide is done as them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from typing_extensions import override

from orchestrator.domain.person import Actor
from orchestrator.domain.project import Project
from orchestrator.domain.pull_request import ReviewDecision
from orchestrator.errors import NotAllowed, SignedOut, TemporaryError
from orchestrator.ports.scm import (
    Carried,
    Credential,
    Examined,
    Examines,
    Merged,
    Queued,
    SignIn,
    SignsIn,
    Wanted,
)
from orchestrator.ports.session_ref import SessionRef
from orchestrator.testing.fakes.scm import FakeScm

HOST = "forge.example"
CODE_LASTS = 900.0
TOKEN_LASTS = 8 * 3600.0


@dataclass(slots=True)
class _Code:
    begun: SignIn
    login: str = ""
    refused: bool = False


class LinkingScm(FakeScm, SignsIn, Examines):
    """`people` may sign in; `may_merge` are those whose rights suffice (None: everybody's)."""

    def __init__(
        self, now: Callable[[], float], *, runs: Collection[str] = (), reviewer: bool = False
    ) -> None:
        super().__init__(runs=runs)
        self._now = now
        self._reviewer = reviewer
        self.interval = 5.0
        self.slow_down = 0.0
        """The next question is answered with: ask so rarely from now on."""
        self.asked: list[float] = []
        """When it was asked whether a sign-in is finished."""
        self.may_merge: set[str] | None = None
        self.carried_as: list[tuple[str, str]] = []
        """(`review` or `merge`, login) of what was done; `ao` where it was done by ourselves."""
        self.examined: Sequence[Examined] = (Examined(level="ok", subject="sign-in", text="as ao-bot"),)
        """What a look at ourselves finds."""
        self.wanted: list[Wanted] = []
        """What was wanted of it at each look."""
        self.good: dict[str, str] = {}
        """Token -> login, of those that are good."""
        self._codes: dict[str, _Code] = {}
        self._renewals: dict[str, str] = {}
        self._made = 0

    # What a test says -----------------------------------------------------------------------------

    def type_code(self, code: str, login: str) -> None:
        """Somebody types a code in the browser."""
        next(c for c in self._codes.values() if c.begun.code == code).login = login

    def refuse_code(self, code: str) -> None:
        """Somebody says no in the browser."""
        next(c for c in self._codes.values() if c.begun.code == code).refused = True

    def take_away(self, login: str) -> None:
        """The person takes the authorization away on the forge."""
        self.good = {token: who for token, who in self.good.items() if who != login}
        self._renewals = {renewal: who for renewal, who in self._renewals.items() if who != login}

    # The port -------------------------------------------------------------------------------------

    @override
    def host(self, project: Project) -> str:
        del project
        return HOST

    @override
    def counts_without_link(self, project: Project) -> bool:
        del project
        return self._reviewer

    @override
    async def begin_sign_in(self, project: Project) -> SignIn:
        del project
        self._call("begin_sign_in")
        self._made += 1
        begun = SignIn(
            url=f"https://{HOST}/device",
            code=f"CODE-{self._made:04}",
            expires_at=self._now() + CODE_LASTS,
            interval=self.interval,
            secret=f"device-{self._made}",
        )
        self._codes[begun.secret] = _Code(begun)
        return begun

    @override
    async def finish_sign_in(self, project: Project, begun: SignIn) -> Credential | None:
        del project
        self._call("finish_sign_in")
        self.asked.append(self._now())
        code = self._codes[begun.secret]
        if self.slow_down:
            wait, self.slow_down = self.slow_down, 0.0
            msg = "ask more rarely."
            raise TemporaryError(msg, delay=wait)
        if code.refused:
            msg = "it was refused there."
            raise NotAllowed(msg)
        return self._credential(code.login) if code.login else None

    @override
    async def renew(self, project: Project, credential: Credential) -> Credential:
        del project
        self._call("renew")
        login = self._renewals.pop(credential.renewal, "")
        self.good.pop(credential.token, None)
        if not login:
            msg = "it was taken away."
            raise NotAllowed(msg)
        return self._credential(login)

    @override
    async def revoke(self, project: Project, credential: Credential) -> str:
        del project
        self._call("revoke")
        self.good.pop(credential.token, None)
        self._renewals.pop(credential.renewal, None)
        return ""

    @override
    def who(self, project: Project) -> str:
        del project
        return "TOKEN"

    @override
    async def examine(self, project: Project, wanted: Wanted) -> Sequence[Examined]:
        del project
        self._call("examine")
        self.wanted.append(wanted)
        return self.examined

    @override
    async def merge(
        self, session: SessionRef, head: str, method: str, title: str = "", *, as_: Credential | None = None
    ) -> Merged | Queued:
        who = self._who(as_)
        if self.may_merge is not None and who not in self.may_merge:
            msg = f"{who} may not merge into {session.project.default_branch}."
            raise NotAllowed(msg)
        merged = await super().merge(session, head, method, title)
        self.carried_as.append(("merge", who))
        return merged

    @override
    async def review(
        self,
        session: SessionRef,
        head: str,
        verdict: ReviewDecision,
        by: Actor,
        body: str = "",
        *,
        as_: Credential | None = None,
    ) -> Carried:
        who = self._who(as_)
        named = by if as_ is None else replace(by, name=who)
        await super().review(session, head, verdict, named, body)
        self.carried_as.append(("review", who))
        if as_ is not None:
            return Carried(counts=True, words=f"as a review by {who}")
        return Carried(counts=False, words="carried as a comment and the status ao/approval")

    def _who(self, as_: Credential | None) -> str:
        if as_ is None:
            return "ao"
        if as_.token not in self.good:
            msg = f"the token of {as_.login} is not good."
            raise SignedOut(msg)
        return self.good[as_.token]

    def _credential(self, login: str) -> Credential:
        self._made += 1
        found = Credential(
            login=login,
            token=f"token-{self._made}",
            expires_at=self._now() + TOKEN_LASTS,
            renewal=f"renewal-{self._made}",
        )
        self.good[found.token] = self._renewals[found.renewal] = login
        return found
