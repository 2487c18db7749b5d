"""What can be done to a pull request, and how it follows its branches."""

from __future__ import annotations

from dataclasses import dataclass

from bot.demo.github import code_owners, issues, rules
from bot.demo.github.model import Change, Pull, Repository, User
from bot.demo.github.refusals import PULL, Refused, invalid
from bot.demo.github.world import World

_STATUS = {"A": "added", "M": "modified", "D": "removed", "R": "renamed", "C": "copied", "T": "changed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A pull request that is asked for."""

    title: str
    head_repo: Repository
    head: str
    base: str
    body: str = ""
    draft: bool = False


async def create(world: World, repo: Repository, by: User, what: Opening) -> Pull:
    """Open it. Raises `Refused` (422) as GitHub does."""
    git = world.git(repo)
    base_sha = repo.branch_heads.get(what.base)
    head_sha = what.head_repo.branch_heads.get(what.head)
    if base_sha is None:
        raise invalid(PULL, "base")
    if head_sha is None:
        raise invalid(PULL, "head")
    _check_new(repo, what)
    issues.check_text("PullRequest", what.body)
    if what.head_repo is not repo:
        await git.run("fetch", "-q", str(what.head_repo.path), f"refs/heads/{what.head}")
    if await git.merge_base(base_sha, head_sha) == head_sha:
        message = f"No commits between {what.base} and {what.head}"
        raise Refused(422, "Validation Failed", errors=[
            {"resource": "PullRequest", "code": "custom", "message": message}
        ])  # fmt: skip
    issue = issues.new(world, repo, by, what.title, what.body)
    number = world.number()
    pull = Pull(
        number, world.node_id("PR", number), issue, what.head_repo, what.head, head_sha,
        what.base, base_sha, what.head_repo.owner, draft=what.draft,
    )  # fmt: skip
    issue.pull = pull
    world.nodes[pull.node_id] = pull
    await git.move(f"refs/pull/{pull.number}/head", head_sha)
    issues.tell(world, issue, "opened", by)
    return pull


def _check_new(repo: Repository, what: Opening) -> None:
    for pull in repo.pulls():
        same = (pull.head_repo, pull.head_ref, pull.base_ref) == (what.head_repo, what.head, what.base)
        if same and pull.is_open:
            message = f"A pull request already exists for {what.head_repo.owner.login}:{what.head}."
            raise Refused(422, "Validation Failed", errors=[
                {"resource": "PullRequest", "code": "custom", "message": message}
            ])  # fmt: skip


def forget(pull: Pull) -> None:
    """Its head or base moved: nothing that was computed holds."""
    pull.mergeable, pull.change, pull.code_owners = None, None, None


async def measure(world: World, pull: Pull) -> Change:
    """How large it is, computed once for each head and base."""
    if pull.change is not None:
        return pull.change
    git, head = world.git(pull.repo), pull.head_sha
    span = f"{pull.base_sha}...{head}"
    out = await git.run("diff", "--raw", "--numstat", "-z", "--no-renames", span)
    rows = _changed(out.split("\0"))
    commits = (await git.run("rev-list", "--reverse", f"{pull.base_sha}..{head}")).split()
    made = Change(sum(row[1] for row in rows), sum(row[2] for row in rows), tuple(rows), tuple(commits))
    if pull.head_sha == head:
        pull.change = made
    return made


def _changed(parts: list[str]) -> list[tuple[str, int, int, str]]:
    """Path, lines added and deleted, status; from git's raw lines (`:… M`, path), then its counted ones."""
    kinds: dict[str, str] = {}
    rows = []
    given = iter(parts)
    for part in given:
        if part.startswith(":"):
            kinds[next(given)] = part.rsplit(" ", 1)[1][:1]
        elif part:
            added, deleted, path = part.split("\t", 2)
            status = _STATUS.get(kinds.get(path, ""), "modified")
            rows.append((path, _count(added), _count(deleted), status))
    return rows


def _count(text: str) -> int:
    return int(text) if text.isdigit() else 0  # git writes - for binary files


async def work_out(world: World, pull: Pull) -> None:
    """Whether it can be merged, whether it is behind, and whom CODEOWNERS names."""
    git, head = world.git(pull.repo), pull.head_sha
    tip = pull.repo.branch_heads.get(pull.base_ref)
    if tip is None:
        pull.mergeable = False
        return
    behind = await git.merge_base(tip, head) != tip
    clean = not behind or (await git.merge_tree(tip, head))[1]
    owners: tuple[str, ...] = ()
    wanted = rules.protection(pull.repo, pull.base_ref)
    if wanted is not None and wanted.code_owners:
        owners = await _owners(world, pull, tip)
    if pull.head_sha == head:
        pull.behind, pull.mergeable, pull.code_owners = behind, clean, owners


async def _owners(world: World, pull: Pull, tip: str) -> tuple[str, ...]:
    change = await measure(world, pull)
    for place in code_owners.PLACES:
        text = await world.git(pull.repo).show(tip, place)
        if text is not None:
            return code_owners.owners(text, [row[0] for row in change.files])
    return ()


def look(world: World, pull: Pull) -> None:
    """Somebody reads it: as GitHub does, begin to compute what is not known; this answer still says null."""
    if pull.is_open and pull.mergeable is None and not world.holds_mergeable and pull not in world.computing:
        world.computing.add(pull)

        async def compute() -> None:
            try:
                await work_out(world, pull)
            finally:
                world.computing.discard(pull)

        world.later(compute())


def set_draft(world: World, pull: Pull, by: User, *, draft: bool) -> None:
    """Draft, or ready for review."""
    if pull.draft == draft:
        return
    pull.draft = draft
    action = "converted_to_draft" if draft else "ready_for_review"
    world.note(pull.issue, "convert_to_draft" if draft else action, by)
    issues.tell(world, pull.issue, action, by)


async def retarget(world: World, pull: Pull, base: str, by: User) -> None:
    """Another base branch. Raises `Refused` (422)."""
    tip = await world.git(pull.repo).resolve(f"refs/heads/{base}")
    if tip is None:
        raise invalid(PULL, "base")
    before, pull.base_ref, pull.base_sha = pull.base_ref, base, tip
    forget(pull)
    world.note(pull.issue, "base_ref_changed", by)
    issues.tell(world, pull.issue, "edited", by, changes={"base": {"ref": {"from": before}}})


def close(world: World, pull: Pull, by: User) -> None:
    """Close it without merging."""
    leave_queue(world, pull, by)
    pull.auto_merge = None
    issues.close(world, pull.issue, by)


async def reopen(world: World, pull: Pull, by: User) -> None:
    """Raises `Refused` (422) when it is merged, its branch is gone, or another one is open for it."""
    if pull.merged_at is not None:
        raise Refused(
            422, "Validation Failed", errors=[_cannot("state cannot be changed. The pull request is merged.")]
        )
    head = (
        None
        if pull.head_repo is None
        else await world.git(pull.head_repo).resolve(f"refs/heads/{pull.head_ref}")
    )
    if head is None:
        text = f"state cannot be changed. The {pull.head_ref} branch has been deleted."
        raise Refused(422, "Validation Failed", errors=[_cannot(text)])
    issues.reopen(world, pull.issue, by)
    await moved_head(world, pull, head, by)


def _cannot(text: str) -> dict[str, str]:
    return {"resource": "PullRequest", "code": "invalid", "field": "state", "message": text}


def leave_queue(world: World, pull: Pull, by: User) -> None:
    """Out of the merge queue."""
    if pull.is_queued:
        pull.repo.queue.remove(pull)
        world.note(pull.issue, "removed_from_merge_queue", by)
        issues.tell(world, pull.issue, "dequeued", by, reason="MANUAL")


def merged(world: World, pull: Pull, by: User, sha: str) -> None:
    """It is merged by this commit."""
    pull.merged_at, pull.merged_by, pull.merge_sha = world.now, by, sha
    pull.auto_merge = None
    if pull.is_queued:
        pull.repo.queue.remove(pull)
    world.note(pull.issue, "merged", by, commit_id=sha)
    issues.close(world, pull.issue, by)


async def moved_head(world: World, pull: Pull, sha: str, by: User) -> None:
    """Its branch has another commit."""
    if sha == pull.head_sha:
        return
    git, before = world.git(pull.repo), pull.head_sha
    if pull.head_repo is not None and pull.head_repo is not pull.repo:
        await git.run("fetch", "-q", str(pull.head_repo.path), f"refs/heads/{pull.head_ref}")
    forced = await git.merge_base(before, sha) != before
    await git.move(f"refs/pull/{pull.number}/head", sha)
    pull.head_sha = sha
    pull.base_sha = await git.resolve(f"refs/heads/{pull.base_ref}") or pull.base_sha
    forget(pull)
    if forced:
        world.note(pull.issue, "head_ref_force_pushed", by, commit_id=sha)
    pull.issue.updated_at = world.now
    for thread in pull.threads:
        thread.outdated = await _is_outdated(world, pull, thread.commit, thread.path)
    wanted = rules.protection(pull.repo, pull.base_ref)
    if wanted is not None and wanted.dismiss_stale:
        for review in pull.reviews:
            if review.state == "APPROVED":
                review.state = "DISMISSED"
                world.note(pull.issue, "review_dismissed", by, dismissed_review={"review_id": review.id})
    leave_queue(world, pull, by)
    issues.tell(world, pull.issue, "synchronize", by, before=before, after=sha)


async def _is_outdated(world: World, pull: Pull, commit: str, path: str) -> bool:
    code, out, _ = await world.git(pull.repo).raw("diff", "--name-only", commit, pull.head_sha, "--", path)
    return bool(code or out)


async def after_push(world: World, repo: Repository, by: User, moved: dict[str, str] | None = None) -> None:
    """Look at the branches of a repository (or be told which moved) and let everything follow."""
    async with repo.following:
        now = await world.git(repo).branches() if moved is None else repo.branch_heads | moved
        before, repo.branch_heads = repo.branch_heads, now
        changed = {name for name in before.keys() | now.keys() if before.get(name) != now.get(name)}
        for name in sorted(changed):
            _tell_push(world, repo, name, before.get(name), now.get(name), by)
        if changed:
            repo.updated_at = world.now
        for pull in [pull for other in world.repositories.values() for pull in other.pulls()]:
            if pull.is_open and pull.head_repo is repo and pull.head_ref in changed:
                await _follow_head(world, pull, now.get(pull.head_ref), by)
            if pull.is_open and pull.repo is repo and pull.base_ref in changed:
                await _follow_base(world, pull, now.get(pull.base_ref), by)


async def _follow_head(world: World, pull: Pull, sha: str | None, by: User) -> None:
    if sha is None:
        world.note(pull.issue, "head_ref_deleted", by)
        close(world, pull, by)
    else:
        await moved_head(world, pull, sha, by)


async def _follow_base(world: World, pull: Pull, tip: str | None, by: User) -> None:
    pull.mergeable, pull.code_owners = None, None
    if tip is None:
        close(world, pull, by)
        return
    is_in = await world.git(pull.repo).merge_base(tip, pull.head_sha) == pull.head_sha
    if is_in and pull.is_open and not pull.repo.merge_lock.locked():  # else a merge is about to say so itself
        merged(world, pull, by, pull.head_sha)


def _tell_push(
    world: World, repo: Repository, branch: str, before: str | None, after: str | None, by: User
) -> None:
    zero = "0" * 40
    if before is None or after is None:
        kind = "create" if before is None else "delete"
        world.happened(repo, kind, "", {"ref": branch, "ref_type": "branch", "pusher_type": "user"}, by)
    payload = {
        "ref": f"refs/heads/{branch}",
        "before": before or zero,
        "after": after or zero,
        "created": before is None,
        "deleted": after is None,
        "forced": False,
        "commits": [],
        "head_commit": None,
        "pusher": {"name": by.login, "email": by.email or None},
    }
    world.happened(repo, "push", "", payload, by)
