"""Merges as GitHub does them: merge, squash or rebase, update-branch, auto-merge and the merge queue."""

from __future__ import annotations

from bot.demo.github import issues, pulls, rules
from bot.demo.github.git_repository import SOMEBODY, Git, Signature
from bot.demo.github.model import AutoMerge, Pull, User
from bot.demo.github.refusals import Refused
from bot.demo.github.world import World

_MOVED = "Head branch was modified. Review and try the merge again."
_NOT_ALLOWED = {
    "merge": "Merge commits are not allowed on this repository.",
    "squash": "Squash merges are not allowed on this repository.",
    "rebase": "Rebase merges are not allowed on this repository.",
}


def signature(by: User) -> Signature:
    """Who stands in the commit."""
    return Signature(by.name or by.login, by.email or f"{by.id}+{by.login}@users.noreply.github.com")


async def merge(  # noqa: PLR0913 - what GitHub takes
    world: World, pull: Pull, by: User, method: str = "merge", *, sha: str | None = None,
    title: str | None = None, message: str | None = None, by_queue: bool = False,
) -> str:  # fmt: skip
    """Merge; the new commit of the base. Raises `Refused`: 405 not mergeable, 409 the head moved."""
    async with pull.repo.merge_lock:
        head = pull.head_sha
        if pull.merged_at is not None or not pull.is_open:
            raise Refused(405, "Pull Request is not mergeable")
        if sha is not None and sha != head:
            raise Refused(409, _MOVED)
        await pulls.work_out(world, pull)
        _check(world, pull, by, method, by_queue=by_queue)
        git = world.git(pull.repo)
        tip = await git.resolve(f"refs/heads/{pull.base_ref}") or pull.base_sha
        new = await _commit(git, pull, method, tip, _text(pull, method, title, message), signature(by))
        if pull.head_sha != head:
            raise Refused(409, _MOVED)
        if not await git.move(f"refs/heads/{pull.base_ref}", new, tip):
            raise Refused(405, "Base branch was modified. Review and try the merge again.")
        pulls.merged(world, pull, by, new)
    await pulls.after_push(world, pull.repo, by)
    close_issues(world, pull, by)
    if pull.repo.merging.delete_branch and pull.head_repo is pull.repo:
        await git.delete(f"refs/heads/{pull.head_ref}")
        await pulls.after_push(world, pull.repo, by)
    return new


def _text(pull: Pull, method: str, title: str | None, message: str | None) -> str:
    """The commit's message, as GitHub makes it up where nothing is said."""
    if method == "squash":
        return f"{title or f'{pull.issue.title} (#{pull.number})'}\n\n{message or ''}".rstrip() + "\n"
    subject = title or f"Merge pull request #{pull.number} from {pull.head_owner.login}/{pull.head_ref}"
    return f"{subject}\n\n{pull.issue.title if message is None else message}\n"


def _check(world: World, pull: Pull, by: User, method: str, *, by_queue: bool) -> None:
    if pull.draft:
        raise Refused(405, "Pull Request is still a draft")
    if not pull.mergeable:
        raise Refused(405, "Pull Request is not mergeable")
    if method not in rules.methods(pull.repo, pull.base_ref):
        raise Refused(405, _NOT_ALLOWED.get(method, "Invalid merge method"))
    wanted = rules.protection(pull.repo, pull.base_ref)
    if wanted is None or (not wanted.admins and pull.repo.role_of(by) == "admin"):
        return
    if said := rules.missing(pull):
        raise Refused(405, " ".join(said))
    if wanted.merge_queue and not by_queue:
        raise Refused(
            405, "Repository rule violations found\n\nChanges must be made through the merge queue\n\n"
        )
    if wanted.strict and pull.behind and not by_queue:
        raise Refused(405, "Head branch is out of date. Review and try the merge again.")


async def _commit(git: Git, pull: Pull, method: str, tip: str, text: str, by: Signature) -> str:
    if method == "rebase":
        return await _rebase(git, pull, tip)
    tree, _ = await git.merge_tree(tip, pull.head_sha)
    parents = [tip, pull.head_sha] if method == "merge" else [tip]
    return await git.commit_tree(tree, parents, text, by)


async def _rebase(git: Git, pull: Pull, tip: str) -> str:
    start = await git.merge_base(tip, pull.head_sha) or tip
    for commit in (
        await git.run("rev-list", "--reverse", "--no-merges", f"{start}..{pull.head_sha}")
    ).split():
        # A pick is a merge whose base is the commit's parent: a commit of ours with that parent stands in for the tip.
        tree_of_tip = (await git.run("rev-parse", f"{tip}^{{tree}}")).strip()
        parent = (await git.run("rev-parse", f"{commit}^")).strip()
        ours = await git.commit_tree(tree_of_tip, [parent], "onto", SOMEBODY)
        tree, clean = await git.merge_tree(ours, commit)
        if not clean:
            raise Refused(405, "This branch can't be rebased")
        shown = await git.run("log", "-1", "--format=%an%x00%ae%x00%B", commit)
        name, mail, message = shown.split("\0", 2)
        tip = await git.commit_tree(tree, [tip], message, Signature(name, mail))
    return tip


def close_issues(world: World, pull: Pull, by: User) -> None:
    """Closing keywords of the body, when the default branch was merged into."""
    import re

    if pull.base_ref != pull.repo.default_branch:
        return
    for found in re.finditer(r"(?i)\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+#(\d+)", pull.issue.body):
        issue = pull.repo.issues.get(int(found[1]))
        if issue is not None and issue.pull is None:
            issues.close(world, issue, by)


async def update_branch(world: World, pull: Pull, by: User, expected: str | None) -> None:
    """Merge the base into the head. Raises `Refused` (422)."""
    if expected is not None and expected != pull.head_sha:
        raise Refused(422, "expected head sha didn't match current head ref.")
    git = world.git(pull.repo)
    tip = await git.resolve(f"refs/heads/{pull.base_ref}")
    if tip is None or pull.head_repo is None:
        raise Refused(422, "merge conflict between base and head")
    if await git.merge_base(tip, pull.head_sha) == tip:
        raise Refused(422, "There are no new commits on the base branch.")
    tree, clean = await git.merge_tree(pull.head_sha, tip)
    if not clean:
        raise Refused(422, "merge conflict between base and head")
    text = f"Merge branch '{pull.base_ref}' into {pull.head_ref}\n"
    new = await git.commit_tree(tree, [pull.head_sha, tip], text, signature(by))
    head = world.git(pull.head_repo)
    if pull.head_repo is not pull.repo:
        await git.move(f"refs/pull/{pull.number}/head", new)
        await head.run("fetch", "-q", str(pull.repo.path), f"refs/pull/{pull.number}/head")
    await head.move(f"refs/heads/{pull.head_ref}", new)
    await pulls.after_push(world, pull.head_repo, by)


def enable_auto(world: World, pull: Pull, by: User, method: str) -> None:
    """Native auto-merge. Raises `Refused` where there is nothing to wait for."""
    if not pull.repo.merging.auto:
        raise Refused(422, "Auto merge is not allowed for this repository")
    if rules.merge_state(pull) == "clean":
        raise Refused(422, "Pull request Pull request is in clean status")
    if method not in rules.methods(pull.repo, pull.base_ref):
        raise Refused(422, f"Merge method {method} merging is not allowed on this repository")
    pull.auto_merge = AutoMerge(by, method, world.now)
    world.note(pull.issue, "auto_merge_enabled", by)
    issues.tell(world, pull.issue, "auto_merge_enabled", by)


def disable_auto(world: World, pull: Pull, by: User) -> None:
    """Off."""
    if pull.auto_merge is not None:
        pull.auto_merge = None
        world.note(pull.issue, "auto_merge_disabled", by)
        issues.tell(world, pull.issue, "auto_merge_disabled", by)


def enqueue(world: World, pull: Pull, by: User, *, jump: bool = False) -> None:
    """Into the merge queue. Raises `Refused`."""
    wanted = rules.protection(pull.repo, pull.base_ref)
    if wanted is None or not wanted.merge_queue:
        raise Refused(422, "Merge queue is not enabled for the base branch")
    if pull.is_queued:
        raise Refused(422, "Pull request is already in the queue")
    if said := rules.missing(pull):
        raise Refused(422, " ".join(said))
    pull.repo.queue.insert(0 if jump else len(pull.repo.queue), pull)
    world.note(pull.issue, "added_to_merge_queue", by)
    issues.tell(world, pull.issue, "enqueued", by)


async def advance(world: World, pull: Pull) -> None:
    """Something about it changed: native auto-merge merges what has become ready."""
    auto = pull.auto_merge
    if auto is None or not pull.is_open:
        return
    await pulls.work_out(world, pull)
    wanted = rules.protection(pull.repo, pull.base_ref)
    if rules.merge_state(pull) in {"clean", "unstable"} and pull.auto_merge is auto:
        if wanted is not None and wanted.merge_queue:
            pull.auto_merge = None
            enqueue(world, pull, auto.by)
        else:
            await merge(world, pull, auto.by, auto.method, title=auto.title, message=auto.message)
