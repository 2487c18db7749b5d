"""What a test does to the fake GitHub: make things, act as anybody, look at what was called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.demo.github import issues, pulls, reviews
from bot.demo.github.access import Access, App, Installation, Token
from bot.demo.github.control_checks import CheckControl
from bot.demo.github.device import Devices
from bot.demo.github.faults import Fault, Faults
from bot.demo.github.git_repository import Signature
from bot.demo.github.limits import Limits
from bot.demo.github.model import Comment, Issue, Pull, Repository, Review, Thread
from bot.demo.github.model_rules import Protection, Ruleset
from bot.demo.github.refusals import CannotDo
from bot.demo.github.rest import Rest
from bot.demo.github.webhooks import Webhooks


@dataclass(slots=True)
class Control(CheckControl):
    """Names are strings: logins, `owner/name`, branches. Raises `CannotDo` for what is not there."""

    access: Access
    limits: Limits
    rest: Rest
    webhooks: Webhooks
    faults: Faults
    devices: Devices

    @property
    def calls(self) -> Mapping[str, int]:
        """How often each was called.

        `GET /repos/{owner}/{repo}`, `304 GET …` (of them not modified), `GRAPHQL name`, `GRAPHQL points`,
        `GIT git-upload-pack` (asking for refs counts too).
        """
        return self.rest.calls

    @property
    def unknown(self) -> list[str]:
        """Calls that the fake does not know; assert that there are none."""
        return self.rest.unknown

    # People and repositories.

    def team(self, organization: str, slug: str, members: Sequence[str]) -> None:
        """A team, as CODEOWNERS names it: `@organization/slug`."""
        self.world.user(organization).teams[slug] = {self.world.add_user(name).login for name in members}

    def user(self, login: str, kind: str = "User", *, members: Sequence[str] = ()) -> None:
        """Somebody: User, Bot or Organization."""
        made = self.world.add_user(login, kind)
        made.members |= {self.world.add_user(name).login for name in members}

    def token(
        self, login: str, *, scopes: tuple[str, ...] | None = None,
        permissions: Mapping[str, str] | None = None, expires_in: float | None = None,
        repositories: Sequence[str] | None = None,
    ) -> str:  # fmt: skip
        """A token of somebody: classic with scopes (`repo`), or fine-grained with permissions."""
        chosen = None if repositories is None else {self.world.repository(name).id for name in repositories}
        made: Token = self.access.new_token(
            login, scopes=scopes, permissions=permissions, expires_in=expires_in, repositories=chosen
        )
        return made.value

    def revoke(self, token: str) -> None:
        """It is bad from now on."""
        self.access.tokens[token].revoked = True

    def app(
        self,
        slug: str,
        owner: str,
        permissions: Mapping[str, str],
        *,
        public_key: str = "",
        oauth: bool = False,
    ) -> App:
        """A GitHub App, by whose JWTs (checked by the key, where one is given) and device flow people sign in."""
        made = self.access.new_app(slug, owner, permissions, public_key)
        made.is_oauth = oauth
        return made

    def install(self, app: App, account: str, repositories: Sequence[str] | None = None) -> Installation:
        """On an account, for all of its repositories or some."""
        chosen = None if repositories is None else {self.world.repository(name).id for name in repositories}
        return self.access.install(app, account, chosen)

    async def repository(
        self, full_name: str, *, seed: Path | None = None, files: Mapping[str, str] | None = None,
        private: bool = False, collaborators: Mapping[str, str] | None = None,
    ) -> Repository:  # fmt: skip
        """A new one: from a folder or git repository, from files, or with a README alone."""
        repo = await self.world.add_repository(full_name, seed=seed, private=private)
        for login, role in (collaborators or {}).items():
            repo.collaborators[self.world.add_user(login).login] = role
        if seed is None:
            first = files or {"README.md": f"# {repo.name}\n"}
            await self.push(
                full_name, repo.default_branch, first, message="First commit", by=repo.owner.login
            )
        return repo

    async def fork(self, full_name: str, owner: str) -> Repository:
        """A fork with all branches."""
        parent = self.world.repository(full_name)
        repo = await self.world.add_repository(
            f"{owner}/{parent.name}", seed=parent.path, private=parent.private
        )
        repo.parent = parent
        return repo

    def protect(self, full_name: str, branch: str, protection: Protection | None) -> None:
        """Branch protection; None takes it away."""
        repo = self.world.repository(full_name)
        if protection is None:
            repo.protections.pop(branch, None)
        else:
            repo.protections[branch] = protection
        for pull in repo.pulls():
            pull.mergeable = None

    def ci(self, full_name: str, commands: Mapping[str, Sequence[str]]) -> None:
        """Check name -> the command that the fake runs for each head of a pull request from now on."""
        self.world.repository(full_name).ci = {name: list(argv) for name, argv in commands.items()}

    def allow(self, full_name: str, **methods: bool) -> None:
        """merge, squash, rebase, auto, delete_branch. Raises `CannotDo`."""
        merging = self.world.repository(full_name).merging
        for name, value in methods.items():
            if not hasattr(merging, name):
                msg = f"A repository allows no {name}."
                raise CannotDo(msg)
            setattr(merging, name, value)

    def ruleset(self, full_name: str, ruleset: Ruleset) -> None:
        """One more ruleset."""
        self.world.repository(full_name).rulesets.append(ruleset)

    def rename(self, full_name: str, new: str) -> None:
        """The old name redirects."""
        self.world.rename(self.world.repository(full_name), new)

    # Git.

    async def push(
        self, full_name: str, branch: str, files: Mapping[str, str | None], *, message: str = "A commit",
        by: str = "", parent: str | None = None,
    ) -> str:  # fmt: skip
        """A commit from elsewhere, on the branch (from the default branch where it is new); its SHA.

        `parent`: from that commit instead, so that the branch is force-pushed. None as content deletes.
        """
        repo = self.world.repository(full_name)
        heads = repo.branch_heads
        start = parent or heads.get(branch) or heads.get(repo.default_branch)
        user = self.world.add_user(by) if by else repo.owner
        data = {path: None if text is None else text.encode() for path, text in files.items()}
        signature = Signature(user.name or user.login, user.email or f"{user.login}@example.com")
        sha = await self.world.git(repo).commit(branch, data, message, parent=start, by=signature)
        await pulls.after_push(self.world, repo, user, {branch: sha})
        return sha

    async def delete_branch(self, full_name: str, branch: str, *, by: str = "") -> None:
        """Gone; open pull requests from it are closed."""
        repo = self.world.repository(full_name)
        await self.world.git(repo).delete(f"refs/heads/{branch}")
        await pulls.after_push(self.world, repo, self.world.add_user(by) if by else repo.owner)

    async def head(self, full_name: str, branch: str) -> str:
        """The commit at a branch. Raises `CannotDo`."""
        found = await self.world.git(self.world.repository(full_name)).resolve(f"refs/heads/{branch}")
        if found is None:
            msg = f"{full_name} has no branch {branch}."
            raise CannotDo(msg)
        return found

    # Issues and pull requests.

    def find(self, full_name: str, number: int) -> Issue:
        """An issue or pull request. Raises `CannotDo`."""
        found = self.world.repository(full_name).issues.get(number)
        if found is None:
            msg = f"{full_name} has no issue {number}."
            raise CannotDo(msg)
        return found

    def issue(
        self, full_name: str, title: str, body: str = "", *, by: str = "", labels: Sequence[str] = ()
    ) -> Issue:
        """A new issue, with labels by its author."""
        repo = self.world.repository(full_name)
        user = self.world.add_user(by) if by else repo.owner
        made = issues.create(self.world, repo, user, title, body)
        issues.add_labels(self.world, made, labels, user)
        return made

    def transfer(self, full_name: str, number: int, to: str) -> Issue:
        """Move an issue to another repository, where it gets a number of its own."""
        source, target = self.world.repository(full_name), self.world.repository(to)
        moved = source.issues.pop(number)
        moved.repo, moved.number = target, max(target.issues, default=0) + 1
        target.issues[moved.number] = source.transferred[number] = moved
        return moved

    def comment(self, full_name: str, number: int, body: str, *, by: str) -> Comment:
        """On an issue or pull request."""
        return issues.comment(self.world, self.find(full_name, number), self.world.add_user(by), body)

    def edit_comment(self, comment: Comment, body: str, *, by: str = "") -> None:
        """Change it; by its author where nobody is named."""
        issues.edit_comment(self.world, comment, body, self.world.add_user(by) if by else comment.author)

    def edit(
        self, full_name: str, number: int, *, by: str, title: str | None = None, body: str | None = None
    ) -> None:
        """Title or body."""
        issues.edit(self.world, self.find(full_name, number), self.world.add_user(by), title=title, body=body)

    def label(self, full_name: str, number: int, *names: str, by: str) -> None:
        """Add labels."""
        issues.add_labels(self.world, self.find(full_name, number), names, self.world.add_user(by))

    def unlabel(self, full_name: str, number: int, name: str, *, by: str) -> None:
        """Take one off."""
        issues.remove_label(self.world, self.find(full_name, number), name, self.world.add_user(by))

    async def pull(  # noqa: PLR0913 - what a pull request has
        self, full_name: str, head: str, *, title: str = "", body: str = "", by: str = "", base: str = "",
        draft: bool = False, head_repo: str = "",
    ) -> Pull:  # fmt: skip
        """Open one for a branch that is there."""
        repo = self.world.repository(full_name)
        source = self.world.repository(head_repo) if head_repo else repo
        what = pulls.Opening(
            title=title or head, head_repo=source, head=head, base=base or repo.default_branch, body=body,
            draft=draft,
        )  # fmt: skip
        return await pulls.create(self.world, repo, self.world.add_user(by) if by else source.owner, what)

    async def close(self, full_name: str, number: int, *, by: str) -> None:
        """An issue or pull request."""
        found, user = self.find(full_name, number), self.world.add_user(by)
        if found.pull is not None:
            pulls.close(self.world, found.pull, user)
        else:
            issues.close(self.world, found, user)

    async def reopen(self, full_name: str, number: int, *, by: str) -> None:
        """An issue or pull request."""
        found, user = self.find(full_name, number), self.world.add_user(by)
        if found.pull is not None:
            await pulls.reopen(self.world, found.pull, user)
        else:
            issues.reopen(self.world, found, user)

    async def retarget(self, full_name: str, number: int, base: str, *, by: str) -> None:
        """Another base."""
        await pulls.retarget(self.world, self.find_pull(full_name, number), base, self.world.add_user(by))

    def review(
        self, full_name: str, number: int, event: str, *, by: str, body: str = "",
        remarks: Sequence[reviews.Remark] = (),
    ) -> Review:  # fmt: skip
        """APPROVE, REQUEST_CHANGES or COMMENT, with comments on lines."""
        pull = self.find_pull(full_name, number)
        return reviews.give(self.world, pull, self.world.add_user(by), event, body, remarks=remarks)

    def resolve(self, full_name: str, number: int, at: int = 0, *, by: str, resolved: bool = True) -> Thread:
        """A thread of a pull request, by its place; or open it again."""
        thread = self.find_pull(full_name, number).threads[at]
        reviews.set_resolved(self.world, thread, self.world.add_user(by), resolved=resolved)
        return thread

    def dismiss(self, review: Review, *, by: str, message: str = "Not so") -> None:
        """A review no longer counts."""
        reviews.dismiss(self.world, review, self.world.add_user(by), message)

    def delete_issue(self, full_name: str, number: int) -> None:
        """410 from now on."""
        repo = self.world.repository(full_name)
        del repo.issues[self.find(full_name, number).number]
        repo.deleted.add(number)

    # Time, faults, signing in.

    def advance(self, seconds: float) -> None:
        """The clock goes on by so much."""
        self.world.clock.offset += seconds

    def fault(self, kind: str, match: str = "", *, calls: int = 1, seconds: float = 1.0) -> None:
        """500, 502, 503, html, hang, slow, secondary, 429, drop or refuse, for the next calls with `match` in them."""
        self.faults.add(Fault(kind, match, calls, seconds))

    def authorize(self, user_code: str, login: str, *, allow: bool = True) -> None:
        """A person typed a device's code in the browser."""
        self.devices.decide(user_code, login, allow=allow)

    def hold_webhooks(self) -> None:
        """Keep deliveries back until `release_webhooks`."""
        self.webhooks.hold = True

    def release_webhooks(self, order: Sequence[int] | None = None) -> int:
        """Send what was held: as it came, or by these positions, which may repeat and leave out. How many there were."""
        count = len(self.webhooks.held)
        self.webhooks.release(order)
        return count

    async def settle(self) -> None:
        """Wait until nothing goes on in the background."""
        await self.world.settle()
