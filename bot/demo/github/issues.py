"""What can be done to an issue (a pull request is one), by whom, with its timeline and webhooks."""

from __future__ import annotations

from collections.abc import Iterable

from bot.demo.github import shapes
from bot.demo.github.model import Comment, Issue, Repository, User
from bot.demo.github.refusals import invalid
from bot.demo.github.world import World

MAX_BODY = 65_536


def check_text(resource: str, text: str) -> str:
    """Raises `Refused` for a text longer than GitHub takes."""
    if len(text) > MAX_BODY:
        message = f"body is too long (maximum is {MAX_BODY} characters)"
        raise invalid(resource, "body", "custom", message)
    return text


def create(world: World, repo: Repository, by: User, title: str, body: str = "") -> Issue:
    """A new issue."""
    check_text("Issue", body)
    made = new(world, repo, by, title, body)
    tell(world, made, "opened", by)
    return made


def new(world: World, repo: Repository, by: User, title: str, body: str) -> Issue:
    """The next number; nobody is told."""
    number, now = world.number(), world.now
    made = Issue(
        number, world.node_id("I", number), max(repo.issues, default=0) + 1, repo, by,
        repo.association_of(by), title, body, now, now,
    )  # fmt: skip
    repo.issues[made.number] = made
    world.nodes[made.node_id] = made
    return made


def tell(world: World, issue: Issue, action: str, by: User, **more: object) -> None:
    """Webhook `issues` or `pull_request`."""
    if issue.pull is None:
        world.happened(issue.repo, "issues", action, {"issue": shapes.issue(world, issue), **more}, by)
    else:
        world.happened(issue.repo, "pull_request", action, {"pull": issue.pull, **more}, by)


def edit(world: World, issue: Issue, by: User, *, title: str | None = None, body: str | None = None) -> None:
    """Change title or body."""
    changes = {}
    if title is not None and title != issue.title:
        changes["title"] = {"from": issue.title}
        world.note(issue, "renamed", by, rename={"from": issue.title, "to": title})
        issue.title = title
    if body is not None and body != issue.body:
        changes["body"] = {"from": issue.body}
        issue.body = check_text("Issue", body)
        issue.edited_at = world.now
    if changes:
        issue.updated_at = world.now
        tell(world, issue, "edited", by, changes=changes)


def close(world: World, issue: Issue, by: User, reason: str = "completed") -> None:
    """Close; nothing when it is."""
    if issue.state == "closed":
        return
    issue.state, issue.closed_at, issue.closed_by = "closed", world.now, by
    issue.state_reason = None if issue.pull else reason
    world.note(issue, "closed", by, state_reason=issue.state_reason)
    tell(world, issue, "closed", by)


def reopen(world: World, issue: Issue, by: User) -> None:
    """Open again; nothing when it is open."""
    if issue.state == "open":
        return
    issue.state, issue.closed_at, issue.closed_by = "open", None, None
    issue.state_reason = None if issue.pull else "reopened"
    world.note(issue, "reopened", by)
    tell(world, issue, "reopened", by)


def add_labels(world: World, issue: Issue, names: Iterable[str], by: User) -> None:
    """Labels that are not there are made."""
    for name in names:
        label = world.add_label(issue.repo, name)
        if label in issue.labels:
            continue
        issue.labels.append(label)
        world.note(issue, "labeled", by, label={"name": label.name, "color": label.color})
        tell(world, issue, "labeled", by, label=shapes.label(world, issue.repo, label))


def remove_label(world: World, issue: Issue, name: str, by: User) -> bool:
    """False when it is not on the issue."""
    label = next((row for row in issue.labels if row.name.lower() == name.lower()), None)
    if label is None:
        return False
    issue.labels.remove(label)
    world.note(issue, "unlabeled", by, label={"name": label.name, "color": label.color})
    tell(world, issue, "unlabeled", by, label=shapes.label(world, issue.repo, label))
    return True


def set_labels(world: World, issue: Issue, names: Iterable[str], by: User) -> None:
    """These and no others."""
    wanted = list(names)
    lower = {name.lower() for name in wanted}
    for label in list(issue.labels):
        if label.name.lower() not in lower:
            remove_label(world, issue, label.name, by)
    add_labels(world, issue, wanted, by)


def assign(world: World, issue: Issue, people: Iterable[User], by: User) -> None:
    """Only who may be assigned; GitHub leaves out others without a word."""
    for person in people:
        may = issue.repo.role_of(person) not in {"none", "read"} or person is issue.author
        if person in issue.assignees or not may:
            continue
        issue.assignees.append(person)
        world.note(issue, "assigned", by, assignee=shapes.user(world, person))
        tell(world, issue, "assigned", by, assignee=shapes.user(world, person))


def unassign(world: World, issue: Issue, people: Iterable[User], by: User) -> None:
    """Take people off."""
    for person in people:
        if person in issue.assignees:
            issue.assignees.remove(person)
            world.note(issue, "unassigned", by, assignee=shapes.user(world, person))
            tell(world, issue, "unassigned", by, assignee=shapes.user(world, person))


def comment(world: World, issue: Issue, by: User, body: str) -> Comment:
    """A new comment."""
    check_text("IssueComment", body)
    number, now = world.number(), world.now
    made = Comment(
        number, world.node_id("IC", number), by, body, now, now, issue.repo.association_of(by), issue
    )
    issue.comments.append(made)
    issue.updated_at = now
    world.nodes[made.node_id] = made
    _tell_comment(world, made, "created", by)
    return made


def edit_comment(world: World, one: Comment, body: str, by: User) -> None:
    """Change what it says."""
    before, one.body = one.body, check_text("IssueComment", body)
    one.updated_at = one.edited_at = one.issue.updated_at = world.now
    _tell_comment(world, one, "edited", by, changes={"body": {"from": before}})


def delete_comment(world: World, one: Comment, by: User) -> None:
    """Gone."""
    one.issue.comments.remove(one)
    one.issue.updated_at = world.now
    world.nodes.pop(one.node_id, None)
    _tell_comment(world, one, "deleted", by)


def _tell_comment(world: World, one: Comment, action: str, by: User, **more: object) -> None:
    payload = {"issue": shapes.issue(world, one.issue), "comment": shapes.comment(world, one), **more}
    world.happened(one.issue.repo, "issue_comment", action, payload, by)
