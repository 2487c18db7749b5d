"""Reviews and threads: given, answered, resolved, dismissed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.demo.github import issues, shapes, shapes_pulls
from bot.demo.github.model import Pull, Review, ReviewComment, Thread, User
from bot.demo.github.refusals import Refused
from bot.demo.github.world import World

STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """A comment on a line that a review brings."""

    path: str
    line: int | None
    body: str
    side: str = "RIGHT"


def give(  # noqa: PLR0913 - what GitHub takes
    world: World, pull: Pull, by: User, event: str, body: str = "", *,
    remarks: Sequence[Remark] = (), commit: str | None = None,
) -> Review:  # fmt: skip
    """A review: APPROVE, REQUEST_CHANGES or COMMENT. Raises `Refused` (422) as GitHub does."""
    if event not in STATES:
        raise Refused(
            422, "Unprocessable Entity", errors=["Variable $event of type PullRequestReviewEvent was invalid"]
        )
    if by is pull.issue.author and event == "APPROVE":
        raise Refused(422, "Unprocessable Entity", errors=["Review Can not approve your own pull request"])
    if by is pull.issue.author and event == "REQUEST_CHANGES":
        raise Refused(
            422, "Unprocessable Entity", errors=["Review Can not request changes on your own pull request"]
        )
    if event != "APPROVE" and not body and not remarks:
        raise Refused(422, "Unprocessable Entity", errors=["Review Body can't be blank"])
    issues.check_text("PullRequestReview", body)
    number = world.number()
    made = Review(
        number, world.node_id("PRR", number), by, STATES[event], body, commit or pull.head_sha, world.now,
        pull.repo.association_of(by), pull,
    )  # fmt: skip
    pull.reviews.append(made)
    world.nodes[made.node_id] = made
    if by in pull.reviewers:
        pull.reviewers.remove(by)
    pull.issue.updated_at = world.now
    for remark in remarks:
        open_thread(world, made, remark)
    world.note(pull.issue, "reviewed", by, state=made.state.lower(), body=body, commit_id=made.commit)
    _tell(world, made, "submitted", by)
    return made


def _tell(world: World, one: Review, action: str, by: User) -> None:
    shape = shapes_pulls.review(world, one)
    shape["state"] = shape["state"].lower()  # webhooks write it small
    world.happened(one.pull.repo, "pull_request_review", action, {"review": shape, "pull": one.pull}, by)


def dismiss(world: World, one: Review, by: User, message: str) -> None:
    """Raises `Refused` (422) where there is nothing to dismiss."""
    if one.state not in {"APPROVED", "CHANGES_REQUESTED"}:
        raise Refused(422, "Can not dismiss a commented pull request review")
    one.state = "DISMISSED"
    one.pull.issue.updated_at = world.now
    world.note(one.pull.issue, "review_dismissed", by, dismissed_review={
        "review_id": one.id, "dismissal_message": message, "state": "dismissed"
    })  # fmt: skip
    _tell(world, one, "dismissed", by)


def open_thread(world: World, review: Review, remark: Remark) -> Thread:
    """A conversation on a line."""
    number = world.number()
    thread = Thread(
        world.node_id("PRRT", number), review.pull, remark.path, remark.line, review.commit, remark.side
    )
    review.pull.threads.append(thread)
    world.nodes[thread.node_id] = thread
    answer(world, thread, review.author, remark.body, review)
    return thread


def answer(world: World, thread: Thread, by: User, body: str, review: Review | None = None) -> ReviewComment:
    """One more comment in a thread; without a review it makes one of its own, as GitHub does."""
    issues.check_text("PullRequestReviewComment", body)
    pull, now = thread.pull, world.now
    association = pull.repo.association_of(by)
    if review is None:
        number = world.number()
        review = Review(
            number, world.node_id("PRR", number), by, "COMMENTED", "", pull.head_sha, now, association, pull
        )
        pull.reviews.append(review)
        world.nodes[review.node_id] = review
    number = world.number()
    made = ReviewComment(
        number, world.node_id("PRRC", number), by, body, now, now, association, thread, review
    )
    thread.comments.append(made)
    world.nodes[made.node_id] = made
    pull.issue.updated_at = now
    payload = {"comment": shapes_pulls.review_comment(world, made), "pull": pull}
    world.happened(pull.repo, "pull_request_review_comment", "created", payload, by)
    return made


def set_resolved(world: World, thread: Thread, by: User, *, resolved: bool) -> None:
    """Resolve, or open again."""
    if (thread.resolved_by is not None) == resolved:
        return
    thread.resolved_by = by if resolved else None
    thread.pull.issue.updated_at = world.now
    shape = {
        "node_id": thread.node_id,
        "comments": [shapes_pulls.review_comment(world, row) for row in thread.comments],
    }
    action = "resolved" if resolved else "unresolved"
    payload = {"thread": shape, "pull": thread.pull}
    world.happened(thread.pull.repo, "pull_request_review_thread", action, payload, by)


def request(world: World, pull: Pull, people: Iterable[User], by: User) -> None:
    """Ask for reviews. Raises `Refused` (422) for the author."""
    for person in people:
        if person is pull.issue.author:
            raise Refused(422, "Review cannot be requested from pull request author.")
        if person not in pull.reviewers:
            pull.reviewers.append(person)
            shape = shapes.user(world, person)
            world.note(pull.issue, "review_requested", by, requested_reviewer=shape)
            issues.tell(world, pull.issue, "review_requested", by, requested_reviewer=shape)


def withdraw(world: World, pull: Pull, people: Iterable[User], by: User) -> None:
    """Ask no longer."""
    for person in people:
        if person in pull.reviewers:
            pull.reviewers.remove(person)
            shape = shapes.user(world, person)
            world.note(pull.issue, "review_request_removed", by, requested_reviewer=shape)
            issues.tell(world, pull.issue, "review_request_removed", by, requested_reviewer=shape)
