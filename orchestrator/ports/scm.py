"""Slot `scm`: where branches are pushed, pull requests are reviewed and merged."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from orchestrator.domain.ids import SessionId
from orchestrator.domain.look import Look
from orchestrator.domain.person import Actor
from orchestrator.domain.project import Project
from orchestrator.domain.pull_request import PullRequest, ReviewDecision
from orchestrator.domain.pushed_diff import PushedDiff
from orchestrator.ports.plugin import Slot
from orchestrator.ports.session_ref import SessionRef
from orchestrator.ports.workspace import Base


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What to push and to show as a pull request."""

    session: SessionRef
    source: str
    """What `git fetch <source>` on this host reads (`Place.export`)."""
    head: str
    """Full SHA that is meant; another one at the branch is a `Conflict`."""
    base: str
    title: str = ""
    """Empty: keep the pull request's title, or make one from the branch."""
    body: str = ""
    draft: bool = False
    open: bool = True
    """False: push only; a pull request is not made, an existing one shows the new head."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """A merge that happened."""

    commit: str
    """The commit that is in the base branch now."""
    base: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """A merge that the forge makes by itself later: when its turn comes, or once what it asks for is there.

    Looks show it as `PullRequest.queued` until it is merged, or not queued any more.
    """

    words: str
    """For people: `in the merge queue of main, place 2`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What lets us act on a forge as one person. Never in a session, a log, an event or an error."""

    login: str
    """The person's name on the forge."""
    token: str = field(repr=False)
    expires_at: float = 0.0
    """Epoch seconds; 0: it does not expire."""
    renewal: str = field(default="", repr=False)
    """What a new one is got with; empty: the person signs in again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """How a person's verdict reached the forge."""

    counts: bool
    """The forge's own rules count it."""
    words: str
    """For people: `as a review by ana-gh`, `as a comment and the status ao/approval`."""


class Scm(Protocol):
    """A forge. Pushes from our mirror with credentials that no session ever meets."""

    async def base(self, project: Project, branch: str = "") -> Base:
        """Fetch the newest commit of a base branch (the project's default) into the mirror.

        Raises `NotFound` when the branch is gone, `PermanentError` for a repository without commits.
        """

    async def observe(self, sessions: Collection[SessionRef]) -> Mapping[SessionId, Look[PullRequest | None]]:
        """The pull request of each session, found by branch *and* by our own mark on it.

        None: there is none. Batched: outside calls do not grow one by one with the sessions.
        """

    async def diff(self, what: Publication) -> PushedDiff:
        """What publishing this would bring: from where the newest base and `what.head` parted, to that head.

        Changes nothing on the forge. Whoever looks at it decides whether `publish` follows, which brings
        that very head or none. Raises `Conflict` when the session's branch is not at `what.head`.
        """

    async def publish(self, what: Publication) -> PullRequest | None:
        """Push the head and make or update the pull request. Repeatable.

        Returns None when `open` is False and there is no pull request. Raises `Conflict` when the
        forge's branch has commits that the head does not.
        """

    async def merge(
        self, session: SessionRef, head: str, method: str, title: str = "", *, as_: Credential | None = None
    ) -> Merged | Queued:
        """Merge the pull request if its head still is `head`, or have the forge merge it in its turn.

        `method`: merge, squash or rebase; another that the forge allows where it does not allow this one.
        `as_`: with this person's rights, where the forge knows people. A pull request that is merged
        already with that head returns the merge that happened. Raises `Conflict` for another head or a
        conflict with the base, `PermanentError` when the forge refuses; the message says why.
        """

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
        """Carry a person's approval or request for changes, given at `head`, to the forge.

        In the strongest way there is: with `as_` as that person's own review.
        """

    async def close(self, session: SessionRef, *, delete_branch: bool) -> None:
        """Close an unmerged pull request, or tidy up after a merge. Repeatable; gone is success."""


@runtime_checkable
class Claims(Protocol):
    """An scm that can hand an existing pull request over to a session."""

    async def bring(self, project: Project, number: int) -> str:
        """Bring the head of pull request `number` into the project's mirror; its full SHA.

        Raises `NotFound`, `Conflict` if it is not open.
        """

    async def claim(self, session: SessionRef, number: int, head: str) -> PullRequest:
        """Mark pull request `number` as this session's, whose workspace stands on `head`.

        Raises `NotFound`, and `Conflict` if it is not open, not on the session's branch, or its head
        is not in `head`: what the session publishes next would replace commits that it does not have.
        """

    async def find(self, project: Project, number: int) -> PullRequest | None:
        """A pull request by number, before any session has it."""


@runtime_checkable
class Branches(Protocol):
    """An scm that can name the branches that are there, so that a session's number is not given again."""

    async def branches(self, project: Project) -> Collection[str]:
        """Names of all branches, without `refs/heads/`. Raises `TemporaryError`."""


@runtime_checkable
class BaseNotes(Protocol):
    """An scm whose base branch can lack commits that a person has."""

    async def base_note(self, project: Project) -> str:
        """What a person should know of the base before work starts from it, with what to do; else empty."""


@runtime_checkable
class Reruns(Protocol):
    """An scm that can run checks again without a new commit."""

    async def rerun(self, session: SessionRef, head: str) -> None:
        """Run the failed checks of `head` again."""


@runtime_checkable
class Threads(Protocol):
    """An scm whose review threads can be answered and resolved."""

    async def reply(self, session: SessionRef, thread: str, text: str) -> None:
        """Answer in a review thread (`ReviewComment.thread`). Raises `NotFound`."""

    async def resolve(self, session: SessionRef, thread: str) -> None:
        """Mark a review thread as resolved. Repeatable. Raises `NotFound`."""


@runtime_checkable
class Drafts(Protocol):
    """An scm that can take a pull request out of draft and back."""

    async def set_draft(self, session: SessionRef, *, draft: bool) -> None:
        """Make the session's pull request a draft, or ready for review. Repeatable. Raises `NotFound`."""


@runtime_checkable
class Queues(Protocol):
    """An scm whose forge merges in its turn (merge queue, native auto-merge), and can be told not to."""

    async def leave_queue(self, session: SessionRef) -> None:
        """Nothing merges the session's pull request by itself any more. Repeatable.

        One that is merged already stays so: whoever asks looks at it afterwards.
        """


@runtime_checkable
class UpdatesBranches(Protocol):
    """An scm that can bring the newest base into a pull request by itself."""

    async def update_branch(self, session: SessionRef, head: str) -> None:
        """Merge the base into the pull request's branch if its head still is `head`. Raises `Conflict`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A sign-in that a person finishes in a browser (OAuth 2.0 device flow, RFC 8628)."""

    url: str
    code: str
    """What the person types there."""
    expires_at: float
    interval: float
    """Seconds between two questions whether it is done."""
    secret: str = field(repr=False)


@runtime_checkable
class SignsIn(Protocol):
    """An scm on which people can be linked, so that what they decide is done with their own rights."""

    def host(self, project: Project) -> str:
        """Where people are known: `github.com`. Credentials are kept by it."""

    async def begin_sign_in(self, project: Project) -> SignIn:
        """Begin to link a person. Raises `NotReady` when the configuration names no client."""

    async def finish_sign_in(self, project: Project, begun: SignIn) -> Credential | None:
        """The person's credential; None while the person has not finished.

        Raises `NotAllowed` if they refused or it expired, `TemporaryError` to be asked again after its `delay`.
        """

    async def renew(self, project: Project, credential: Credential) -> Credential:
        """A fresh credential for one that expires soon. Raises `NotAllowed` when it was taken away."""

    async def revoke(self, project: Project, credential: Credential) -> str:
        """Have the forge forget it; empty when it did, else what the person can do there. Never raises."""

    def counts_without_link(self, project: Project) -> bool:
        """Whether a second identity of ours carries approvals of people who are not linked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a project wants of its forge, so that it can be said what lacks for it."""

    approvals: int
    """Those that the project's own rules ask for."""
    merge_method: str
    issues: bool
    """Its tracker is there too."""
    linked: frozenset[str] = frozenset()
    """Who is linked there, by their names there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """One thing that was looked at, in words for a person."""

    level: str
    """`ok`, `warning` or `failure`."""
    subject: str
    text: str
    next_step: str = ""


@runtime_checkable
class Examines(Protocol):
    """An scm that can say whether everything is there that it needs, and what is more than that."""

    def who(self, project: Project) -> str:
        """As whom we act, as far as that is known without a call: `GITHUB_TOKEN`, `GitHub App 5`."""

    async def examine(self, project: Project, wanted: Wanted) -> Sequence[Examined]:
        """Look at credential, permissions, repository and rules; changes nothing. Never raises `AoError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A webhook's delivery that is genuine, and what it is about."""

    id: str
    """The forge's own id of the delivery: the same again is the same delivery."""
    event: str
    repository: str = ""
    """Where it happened, as the project calls it; empty for what is about no repository, or not surely about it."""
    sessions: tuple[SessionId, ...] = ()
    """Those it concerns: they are looked at now."""
    later: tuple[SessionId, ...] = ()
    """Those it may concern too (their base moved, rules changed), or tells only progress of (a check began).

    They are looked at within seconds, with what else comes until then.
    """
    issues: bool = False
    """It tells of issues: the queue of the tracker is to be looked at."""


@runtime_checkable
class Hears(Protocol):
    """An scm that is told by webhooks what happens. A delivery only means: look sooner."""

    def hear(
        self,
        project: Project,
        headers: Mapping[str, str],
        body: bytes,
        secrets: Sequence[str],
        *,
        named: bool = False,
    ) -> Heard:
        """Read one delivery; header names are in lower case. Never blocks, changes nothing, may run in a thread.

        `secrets`: any of which may have signed it. `named`: it came to an address of this project alone, which
        counts where its repository's name is another one and nobody knows yet whether it was renamed. Raises `NotAllowed` for a wrong signature and where there
        is no secret, `BadInput` for a body that is none, `NotFound` when it is for another repository.
        """

    def take(self, heard: Heard) -> None:
        """The delivery is kept: what was known of its sessions is old. Those of `later` it wakes itself."""

    def covered(self, project: Project) -> bool:
        """Whether deliveries of the project's repository come in, so that what rests need not be polled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A webhook of ours, as the forge has it."""

    id: str
    url: str
    active: bool = True
    events: tuple[str, ...] = ()
    last: str = ""
    """How the forge's last delivery went, in its words."""


@runtime_checkable
class ManagesHooks(Protocol):
    """An scm on which we can make our own webhook. Those of others are never touched."""

    async def find_hook(self, project: Project, url: str, known: str = "") -> Hook | None:
        """Our hook: the one that delivers to `url`, or has the id `known`. Raises `NotAllowed`."""

    async def install_hook(self, project: Project, url: str, secret: str, known: str = "") -> Hook:
        """Make it, or bring it to this address, this secret and our events. Repeatable.

        Raises `NotAllowed` with the permission that is missing.
        """

    async def test_hook(self, project: Project, hook: Hook) -> None:
        """Let the forge send a delivery now. Raises `NotFound`, `NotAllowed`."""

    async def remove_hook(self, project: Project, hook: Hook) -> None:
        """Take it away. Gone is success. Raises `NotAllowed`."""


SCM: Slot[Scm] = Slot("scm")
