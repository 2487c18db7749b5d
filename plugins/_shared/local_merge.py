"""Brings a pull request into its base, without any work tree: a new commit, then a compare-and-swap."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from orchestrator.domain.ids import short_sha
from orchestrator.domain.outside_text import clean, one_line
from orchestrator.errors import BadInput, Conflict, PermanentError, TemporaryError
from plugins._shared.local_forge import LocalForge, head_ref, merged_ref
from plugins._shared.mirror import CommitInfo, Mirror

_TRIES = 8
_MOST_COMMITS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeOrder:
    """What to merge, into what, and in whose words."""

    number: int
    base: str
    """The base branch."""
    head: str
    branch: str
    title: str
    body: str = ""


async def merge(
    forge: LocalForge, order: MergeOrder, method: str, reached: Callable[[str], None] = lambda _: None
) -> str:
    """Merge and return the commit that the base branch is at then.

    The base, the mark of the merge and the unmoved head are one transaction. When somebody else moves
    the base meanwhile, the merge is made again on top of it. Raises `Conflict` for another head and
    when it does not merge cleanly; then nothing has changed.
    """
    if method not in _METHODS:
        msg = f"{method!r} is no way to merge: {', '.join(_METHODS)}."
        raise BadInput(msg)
    base, branch = head_ref(order.base), head_ref(order.branch)
    for _ in range(_TRIES):
        refs = await forge.refs()
        same_head(order.number, refs.get(branch, ""), order.head)
        onto = refs[base]
        commit = await _METHODS[method](forge.repository, order, onto)
        reached("merge-made")
        try:
            await forge.repository.update_refs(
                {
                    base: (commit, onto),
                    merged_ref(order.number): (commit, ""),
                    branch: (order.head, order.head),
                }
            )
        except Conflict:
            continue
        return commit
    msg = f"{order.base} moved {_TRIES} times while pull request {order.number} was merged."
    raise TemporaryError(msg)


def same_head(number: int, found: str, head: str) -> None:
    """Raises `Conflict` unless a pull request is where the caller believes."""
    if found != head:
        msg = f"Pull request {number} is at {short_sha(found) or 'no commit'}, not at {short_sha(head)}."
        raise Conflict(msg)


async def _merge(repository: Mirror, order: MergeOrder, onto: str) -> str:
    tree = await _tree(repository, order, onto)
    subject = f"Merge pull request #{order.number} from {order.branch}"
    return await repository.commit(tree, (onto, order.head), f"{subject}\n\n{one_line(order.title)}\n")


async def _squash(repository: Mirror, order: MergeOrder, onto: str) -> str:
    tree = await _tree(repository, order, onto)
    first = await repository.commits(order.head, [onto])
    message = f"{one_line(order.title)} (#{order.number})\n"
    if order.body.strip():
        message += f"\n{clean(order.body).strip()}\n"
    return await repository.commit(tree, (onto,), message, author=first[0] if first else None)


async def _tree(repository: Mirror, order: MergeOrder, onto: str) -> str:
    trial = await repository.try_merge(onto, order.head)
    if not trial.clean:
        raise _conflict(order, trial.conflicts)
    return trial.tree


async def _rebase(repository: Mirror, order: MergeOrder, onto: str) -> str:
    commits = await repository.commits(order.head, [onto], limit=_MOST_COMMITS)
    if any(len(commit.parents) != 1 for commit in commits):
        msg = f"Pull request {order.number} holds merge commits, which cannot be rebased."
        raise PermanentError(msg, next_step="Merge it with `merge` or `squash`.")
    if len(commits) >= _MOST_COMMITS:
        msg = f"Pull request {order.number} has {_MOST_COMMITS} commits or more: too many to rebase."
        raise PermanentError(msg, next_step="Merge it with `merge` or `squash`.")
    for commit in commits:
        onto = await _picked(repository, order, commit, onto)
    return onto


async def _picked(repository: Mirror, order: MergeOrder, commit: CommitInfo, onto: str) -> str:
    parent = commit.parents[0]
    if parent == onto:
        return commit.sha
    trial = await repository.try_pick(onto, commit.sha, parent)
    if not trial.clean:
        raise _conflict(order, trial.conflicts, f" at commit {short_sha(commit.sha)}")
    if trial.tree == await repository.git.text("rev-parse", "--verify", f"{onto}^{{tree}}"):
        return onto  # the base has this change already
    return await repository.commit(trial.tree, (onto,), commit.message, author=commit)


def _conflict(order: MergeOrder, paths: tuple[str, ...], where: str = "") -> Conflict:
    named = ", ".join(one_line(path, 100) for path in paths[:5])
    more = f" and {len(paths) - 5} more" if len(paths) > 5 else ""
    msg = f"Pull request {order.number} conflicts with its base{where}: {named}{more}."
    return Conflict(msg)


_METHODS: Mapping[str, Callable[[Mirror, MergeOrder, str], Awaitable[str]]] = {
    "merge": _merge,
    "squash": _squash,
    "rebase": _rebase,
}
