"""REST: issues, comments, labels, assignees, timelines, search of issues."""

from __future__ import annotations

from bot.demo.github import issues, search, shapes
from bot.demo.github.calls import Call, Reply, Table
from bot.demo.github.model import Comment, Issue, User
from bot.demo.github.refusals import LABEL, Json, Refused, invalid, not_found
from bot.demo.github.world import World

TABLE = Table()
_READ = (("issues", "read"), ("pull_requests", "read"))
_WRITE = (("issues", "write"), ("pull_requests", "write"))
_ISSUE = "/repos/{owner}/{repo}/issues/{number}"


def issue_of(call: Call) -> Issue:
    """The issue that the path names. Raises `Refused`."""
    found = call.repo.issues.get(call.number())
    if found is None and call.number() in call.repo.deleted:
        raise Refused(410, "This issue was deleted")
    if found is None:
        raise not_found()
    return found


def people_of(call: Call, names: list[str]) -> list[User]:
    """Who is there of them."""
    found = (call.world.users.get(str(name).lower()) for name in names)
    return [one for one in found if one is not None]


def _shape(call: Call, one: Issue) -> Json:
    return shapes.issue(call.world, one)


@TABLE.on("GET", "/repos/{owner}/{repo}/issues", *_READ)
async def list_issues(call: Call) -> Reply:
    """By state, labels, assignee, since, sort and direction; pull requests are among them."""
    rows = search.filtered(call.repo.issues.values(), call.query, call.world)
    return call.page(rows, lambda one: _shape(call, one))


@TABLE.on("POST", "/repos/{owner}/{repo}/issues", ("issues", "write"), content=True)
async def create(call: Call) -> Reply:
    """Labels and assignees count only from who may push."""
    title = call.text("title", "Issue")
    made = issues.create(call.world, call.repo, call.user, title, str(call.body.get("body") or ""))
    if call.who.is_installation or call.repo.role_of(call.user) not in {"none", "read"}:
        issues.add_labels(call.world, made, map(_label_name, call.body.get("labels") or []), call.user)
        wanted = list(call.body.get("assignees") or [])
        if call.body.get("assignee"):
            wanted.append(call.body["assignee"])
        issues.assign(call.world, made, people_of(call, wanted), call.user)
    return Reply(_shape(call, made), 201)


@TABLE.on("GET", _ISSUE, *_READ)
async def get(call: Call) -> Reply:
    """One issue; what was moved to another repository redirects."""
    moved = call.repo.transferred.get(call.number())
    if moved is not None:
        url = call.world.api(f"/repos/{moved.repo.full_name}/issues/{moved.number}")
        return Reply({"message": "Moved Permanently", "url": url}, 301, {"Location": url})
    return Reply(_shape(call, issue_of(call)))


@TABLE.on("PATCH", _ISSUE, *_WRITE)
async def change(call: Call) -> Reply:
    """Title, body, state, labels, assignees."""
    one, body = issue_of(call), call.body
    is_own = one.author is call.user
    if not (is_own or call.who.is_installation) and call.repo.role_of(call.user) in {"none", "read"}:
        raise Refused(403, "Must have triage access to repository.")
    issues.edit(call.world, one, call.user, title=body.get("title"), body=body.get("body"))
    if body.get("labels") is not None:
        issues.set_labels(call.world, one, map(_label_name, body["labels"]), call.user)
    if body.get("assignees") is not None:
        people = people_of(call, body["assignees"])
        issues.unassign(call.world, one, [p for p in one.assignees if p not in people], call.user)
        issues.assign(call.world, one, people, call.user)
    if body.get("state") == "closed":
        issues.close(call.world, one, call.user, body.get("state_reason") or "completed")
    elif body.get("state") == "open":
        issues.reopen(call.world, one, call.user)
    return Reply(_shape(call, one))


@TABLE.on("GET", f"{_ISSUE}/comments", *_READ)
async def list_comments(call: Call) -> Reply:
    """Oldest first; `since` by update."""
    rows = search.since(issue_of(call).comments, call.query)
    return call.page(rows, lambda one: shapes.comment(call.world, one))


@TABLE.on("POST", f"{_ISSUE}/comments", *_WRITE, content=True)
async def comment(call: Call) -> Reply:
    """A new one."""
    text = call.text("body", "IssueComment")
    return Reply(shapes.comment(call.world, issues.comment(call.world, issue_of(call), call.user, text)), 201)


@TABLE.on("GET", "/repos/{owner}/{repo}/issues/comments", *_READ)
async def list_all_comments(call: Call) -> Reply:
    """Of all issues; sort and direction."""
    rows = [one for issue in call.repo.issues.values() for one in issue.comments]
    key = "updated_at" if call.query.get("sort") == "updated" else "created_at"
    rows.sort(key=lambda one: (getattr(one, key), one.id), reverse=call.query.get("direction") == "desc")
    return call.page(search.since(rows, call.query), lambda one: shapes.comment(call.world, one))


def _comment_of(call: Call) -> Comment:
    number = call.number("comment")
    for issue in call.repo.issues.values():
        for one in issue.comments:
            if one.id == number:
                return one
    raise not_found()


def _own_comment(call: Call) -> Comment:
    one = _comment_of(call)
    if one.author is not call.user and call.repo.role_of(call.user) in {"none", "read", "triage"}:
        raise Refused(403, "Must have admin rights to Repository.")
    return one


@TABLE.on("GET", "/repos/{owner}/{repo}/issues/comments/{comment}", *_READ)
async def get_comment(call: Call) -> Reply:
    """One comment."""
    return Reply(shapes.comment(call.world, _comment_of(call)))


@TABLE.on("PATCH", "/repos/{owner}/{repo}/issues/comments/{comment}", *_WRITE)
async def edit_comment(call: Call) -> Reply:
    """By its author or who may push."""
    one = _own_comment(call)
    issues.edit_comment(call.world, one, call.text("body", "IssueComment"), call.user)
    return Reply(shapes.comment(call.world, one))


@TABLE.on("DELETE", "/repos/{owner}/{repo}/issues/comments/{comment}", *_WRITE)
async def delete_comment(call: Call) -> Reply:
    """By its author or who may push."""
    issues.delete_comment(call.world, _own_comment(call), call.user)
    return Reply(status=204)


def _label_name(given: object) -> str:
    name = given.get("name") if isinstance(given, dict) else given
    if not isinstance(name, str) or not name.strip():
        raise invalid(LABEL, "name", "missing_field")
    return name


def _labels(call: Call, one: Issue) -> Reply:
    return Reply([shapes.label(call.world, call.repo, row) for row in one.labels])


@TABLE.on("GET", f"{_ISSUE}/labels", *_READ)
async def list_labels(call: Call) -> Reply:
    """Of an issue."""
    return call.page(issue_of(call).labels, lambda row: shapes.label(call.world, call.repo, row))


@TABLE.on("POST", f"{_ISSUE}/labels", *_WRITE, role="triage")
async def add_labels(call: Call) -> Reply:
    """Some more."""
    one = issue_of(call)
    issues.add_labels(call.world, one, map(_label_name, call.body.get("labels") or []), call.user)
    return _labels(call, one)


@TABLE.on("PUT", f"{_ISSUE}/labels", *_WRITE, role="triage")
async def set_labels(call: Call) -> Reply:
    """These alone."""
    one = issue_of(call)
    issues.set_labels(call.world, one, map(_label_name, call.body.get("labels") or []), call.user)
    return _labels(call, one)


@TABLE.on("DELETE", f"{_ISSUE}/labels", *_WRITE, role="triage")
async def remove_labels(call: Call) -> Reply:
    """All of them."""
    issues.set_labels(call.world, issue_of(call), [], call.user)
    return Reply(status=204)


@TABLE.on("DELETE", f"{_ISSUE}/labels/{{name+}}", *_WRITE, role="triage")
async def remove_label(call: Call) -> Reply:
    """404 when it is not there."""
    one = issue_of(call)
    if not issues.remove_label(call.world, one, call.params["name"], call.user):
        raise Refused(404, "Label does not exist")
    return _labels(call, one)


@TABLE.on("POST", f"{_ISSUE}/assignees", *_WRITE, role="triage")
async def assign(call: Call) -> Reply:
    """Who may not be assigned is left out without a word."""
    one = issue_of(call)
    issues.assign(call.world, one, people_of(call, call.body.get("assignees") or []), call.user)
    return Reply(_shape(call, one), 201)


@TABLE.on("DELETE", f"{_ISSUE}/assignees", *_WRITE, role="triage")
async def unassign(call: Call) -> Reply:
    """Take people off."""
    one = issue_of(call)
    issues.unassign(call.world, one, people_of(call, call.body.get("assignees") or []), call.user)
    return Reply(_shape(call, one))


@TABLE.on("GET", f"{_ISSUE}/events", *_READ)
async def list_events(call: Call) -> Reply:
    """Without comments."""
    return call.page(issue_of(call).timeline, lambda one: shapes.event(call.world, one))


@TABLE.on("GET", f"{_ISSUE}/timeline", *_READ)
async def timeline(call: Call) -> Reply:
    """With comments."""
    one = issue_of(call)
    rows: list[tuple[float, int, Json]] = [
        (row.created_at, row.id, shapes.event(call.world, row)) for row in one.timeline
    ]
    rows += [(row.created_at, row.id, _commented(call.world, row)) for row in one.comments]
    return call.page([row[2] for row in sorted(rows, key=lambda row: row[:2])], lambda row: row)


def _commented(world: World, one: Comment) -> Json:
    return shapes.comment(world, one) | {"event": "commented", "actor": shapes.user(world, one.author)}


@TABLE.on("GET", "/repos/{owner}/{repo}/issues/events", *_READ)
async def all_events(call: Call) -> Reply:
    """Of all issues, newest first, each with its issue."""
    rows = [(event, one) for one in call.repo.issues.values() for event in one.timeline]
    rows.sort(key=lambda row: row[0].id, reverse=True)
    return call.page(rows, lambda row: shapes.event(call.world, row[0]) | {"issue": _shape(call, row[1])})


@TABLE.on("GET", "/repos/{owner}/{repo}/labels", *_READ)
async def repository_labels(call: Call) -> Reply:
    """All that there are."""
    return call.page(list(call.repo.labels.values()), lambda row: shapes.label(call.world, call.repo, row))


@TABLE.on("POST", "/repos/{owner}/{repo}/labels", *_WRITE, role="write")
async def make_label(call: Call) -> Reply:
    """422 when there is one."""
    name = call.text("name", "Label")
    if name.lower() in call.repo.labels:
        raise invalid(LABEL, "name", "already_exists")
    color, about = str(call.body.get("color") or "ededed"), str(call.body.get("description") or "")
    made = call.world.add_label(call.repo, name, color, about)
    return Reply(shapes.label(call.world, call.repo, made), 201)


@TABLE.on("GET", "/repos/{owner}/{repo}/labels/{name+}", *_READ)
async def get_label(call: Call) -> Reply:
    """One label."""
    found = call.repo.labels.get(call.params["name"].lower())
    if found is None:
        raise not_found()
    return Reply(shapes.label(call.world, call.repo, found))


@TABLE.on("GET", "/repos/{owner}/{repo}/assignees/{name}", *_READ)
async def may_be_assigned(call: Call) -> Reply:
    """204 or 404."""
    person = call.world.users.get(call.params["name"].lower())
    if person is None or call.repo.role_of(person) in {"none", "read"}:
        raise not_found()
    return Reply(status=204)


@TABLE.on("GET", "/search/issues", bucket="search")
async def search_issues(call: Call) -> Reply:
    """Qualifiers repo, is, state, label, author, assignee, head, base and words."""
    rows = [
        one
        for one in search.found(call.world, call.query.get("q", ""))
        if call.access.sees(call.who, one.repo)
    ]
    reply = call.page(rows, lambda one: _shape(call, one) | {"score": 1.0}, "items")
    reply.body["incomplete_results"] = False
    return reply
