"""REST: pull requests, merges, reviews, review comments."""

from __future__ import annotations

from bot.demo.github import issues, merging, pulls, reviews, search, shapes, shapes_pulls
from bot.demo.github.calls import Call, Reply, Table
from bot.demo.github.model import Pull, Repository, Review, ReviewComment
from bot.demo.github.refusals import PULL, Json, Refused, invalid, not_found
from bot.demo.github.rest_issues import people_of

TABLE = Table()
_READ = ("pull_requests", "read")
_WRITE = ("pull_requests", "write")
_PULL = "/repos/{owner}/{repo}/pulls/{number}"


def pull_of(call: Call) -> Pull:
    """The pull request that the path names. Raises `Refused`."""
    found = call.repo.issues.get(call.number())
    if found is None or found.pull is None:
        raise not_found()
    return found.pull


async def _whole(call: Call, pull: Pull) -> Json:
    shape = shapes_pulls.whole(call.world, pull, await pulls.measure(call.world, pull))
    pulls.look(call.world, pull)
    return shape


@TABLE.on("GET", "/repos/{owner}/{repo}/pulls", _READ)
async def list_pulls(call: Call) -> Reply:
    """By state, head (`owner:branch`), base, sort and direction."""
    state, head, base = (call.query.get(name, "") for name in ("state", "head", "base"))
    rows = [one for one in call.repo.pulls() if (state or "open") in ("all", one.issue.state)]
    if head and ":" in head:  # GitHub takes no notice of a head without an owner
        rows = [one for one in rows if f"{one.head_owner.login}:{one.head_ref}".lower() == head.lower()]
    rows = [one for one in rows if base in ("", one.base_ref)]
    key = "updated_at" if call.query.get("sort") == "updated" else "created_at"
    down = call.query.get(
        "direction", "desc" if key == "created_at" and not call.query.get("sort") else "asc"
    )
    rows.sort(key=lambda one: (getattr(one.issue, key), one.number), reverse=down == "desc")
    return call.page(rows, lambda one: shapes_pulls.pull(call.world, one))


@TABLE.on("POST", "/repos/{owner}/{repo}/pulls", _WRITE, content=True)
async def create(call: Call) -> Reply:
    """Open one; the head is a branch here, or `owner:branch` of a fork."""
    head = call.text("head", "PullRequest")
    owner, _, branch = head.rpartition(":")
    where = call.repo if owner in ("", call.repo.owner.login) else _fork(call, owner)
    is_writer = call.who.is_installation or where.role_of(call.user) not in {"none", "read", "triage"}
    if not is_writer:
        raise Refused(403, "Must have push access to the head repository.")
    what = pulls.Opening(
        title=call.text("title", "PullRequest"), head_repo=where, head=branch,
        base=call.text("base", "PullRequest"), body=str(call.body.get("body") or ""),
        draft=bool(call.body.get("draft")),
    )  # fmt: skip
    made = await pulls.create(call.world, call.repo, call.user, what)
    return Reply(await _whole(call, made), 201)


def _fork(call: Call, owner: str) -> Repository:
    for repo in call.world.repositories.values():
        if repo.owner.login.lower() == owner.lower() and repo.parent is call.repo:
            return repo
    raise invalid(PULL, "head")


@TABLE.on("GET", _PULL, _READ)
async def get(call: Call) -> Reply:
    """One; its mergeability is computed after the first look."""
    return Reply(await _whole(call, pull_of(call)))


@TABLE.on("PATCH", _PULL, _WRITE)
async def change(call: Call) -> Reply:
    """Title, body, base, state."""
    pull, body = pull_of(call), call.body
    own = pull.issue.author is call.user or call.who.is_installation
    if not own and call.repo.role_of(call.user) in {"none", "read", "triage"}:
        raise Refused(403, "Must have push access to repository.")
    issues.edit(call.world, pull.issue, call.user, title=body.get("title"), body=body.get("body"))
    if body.get("base") not in (None, pull.base_ref):
        await pulls.retarget(call.world, pull, str(body["base"]), call.user)
    if body.get("state") == "closed":
        pulls.close(call.world, pull, call.user)
    elif body.get("state") == "open" and not pull.is_open:
        await pulls.reopen(call.world, pull, call.user)
    return Reply(await _whole(call, pull))


@TABLE.on("GET", f"{_PULL}/merge", _READ)
async def is_merged(call: Call) -> Reply:
    """204 or 404."""
    if pull_of(call).merged_at is None:
        raise not_found()
    return Reply(status=204)


@TABLE.on("PUT", f"{_PULL}/merge", ("contents", "write"), role="write", content=True)
async def merge(call: Call) -> Reply:
    """405 not mergeable, 409 another head."""
    body = call.body
    sha = await merging.merge(
        call.world, pull_of(call), call.user, body.get("merge_method") or "merge", sha=body.get("sha"),
        title=body.get("commit_title"), message=body.get("commit_message"),
    )  # fmt: skip
    return Reply({"sha": sha, "merged": True, "message": "Pull Request successfully merged"})


@TABLE.on("PUT", f"{_PULL}/update-branch", _WRITE, role="write")
async def update_branch(call: Call) -> Reply:
    """Merge the base into the head."""
    pull = pull_of(call)
    await merging.update_branch(call.world, pull, call.user, call.body.get("expected_head_sha"))
    url = shapes.page_url(call.world, pull.issue)
    return Reply({"message": "Updating pull request branch.", "url": url}, 202)


@TABLE.on("GET", f"{_PULL}/files", _READ)
async def files(call: Call) -> Reply:
    """Changed files."""
    pull = pull_of(call)
    change_of = await pulls.measure(call.world, pull)
    rows = [
        {"sha": pull.head_sha, "filename": path, "status": status, "additions": added, "deletions": deleted,
         "changes": added + deleted, "patch": ""}
        for path, added, deleted, status in change_of.files
    ]  # fmt: skip
    return call.page(rows, lambda row: row)


@TABLE.on("GET", f"{_PULL}/commits", _READ)
async def commits(call: Call) -> Reply:
    """Oldest first, at most 250 as on GitHub."""
    pull = pull_of(call)
    change_of = await pulls.measure(call.world, pull)
    rows = [{"sha": sha, "node_id": f"C_{sha}", "url": call.world.api(
        f"/repos/{call.repo.full_name}/commits/{sha}")} for sha in change_of.commits[:250]]  # fmt: skip
    return call.page(rows, lambda row: row)


@TABLE.on("POST", f"{_PULL}/requested_reviewers", _WRITE, role="triage")
async def request_reviewers(call: Call) -> Reply:
    """People alone; the fake knows no teams."""
    pull = pull_of(call)
    reviews.request(call.world, pull, people_of(call, call.body.get("reviewers") or []), call.user)
    return Reply(shapes_pulls.pull(call.world, pull), 201)


@TABLE.on("DELETE", f"{_PULL}/requested_reviewers", _WRITE, role="triage")
async def withdraw_reviewers(call: Call) -> Reply:
    """Ask no longer."""
    pull = pull_of(call)
    reviews.withdraw(call.world, pull, people_of(call, call.body.get("reviewers") or []), call.user)
    return Reply(shapes_pulls.pull(call.world, pull))


@TABLE.on("GET", f"{_PULL}/requested_reviewers", _READ)
async def list_reviewers(call: Call) -> Reply:
    """Who is asked."""
    people = [shapes.user(call.world, row) for row in pull_of(call).reviewers]
    return Reply({"users": people, "teams": []})


@TABLE.on("GET", f"{_PULL}/reviews", _READ)
async def list_reviews(call: Call) -> Reply:
    """Oldest first."""
    return call.page(pull_of(call).reviews, lambda one: shapes_pulls.review(call.world, one))


@TABLE.on("POST", f"{_PULL}/reviews", _WRITE, content=True)
async def review(call: Call) -> Reply:
    """Approve, ask for changes or comment, with comments on lines."""
    pull, body = pull_of(call), call.body
    remarks = [
        reviews.Remark(path=str(row["path"]), line=row.get("line"), body=str(row["body"]),
                       side=row.get("side") or "RIGHT")
        for row in body.get("comments") or []
    ]  # fmt: skip
    made = reviews.give(
        call.world, pull, call.user, str(body.get("event") or "COMMENT"), str(body.get("body") or ""),
        remarks=remarks, commit=body.get("commit_id"),
    )  # fmt: skip
    await merging.advance(call.world, pull)
    return Reply(shapes_pulls.review(call.world, made))


def _review_of(call: Call) -> Review:
    number = call.number("review")
    found = next((one for one in pull_of(call).reviews if one.id == number), None)
    if found is None:
        raise not_found()
    return found


@TABLE.on("GET", f"{_PULL}/reviews/{{review}}", _READ)
async def get_review(call: Call) -> Reply:
    """One review."""
    return Reply(shapes_pulls.review(call.world, _review_of(call)))


@TABLE.on("GET", f"{_PULL}/reviews/{{review}}/comments", _READ)
async def comments_of_review(call: Call) -> Reply:
    """Its comments on lines."""
    one = _review_of(call)
    rows = [c for thread in one.pull.threads for c in thread.comments if c.review is one]
    return call.page(rows, lambda row: shapes_pulls.review_comment(call.world, row))


@TABLE.on("PUT", f"{_PULL}/reviews/{{review}}/dismissals", _WRITE, role="write")
async def dismiss(call: Call) -> Reply:
    """Needs a message."""
    one = _review_of(call)
    reviews.dismiss(call.world, one, call.user, call.text("message", "PullRequestReview"))
    return Reply(shapes_pulls.review(call.world, one))


@TABLE.on("GET", f"{_PULL}/comments", _READ)
async def list_review_comments(call: Call) -> Reply:
    """On lines; oldest first."""
    rows = sorted((c for thread in pull_of(call).threads for c in thread.comments), key=lambda one: one.id)
    return call.page(rows, lambda one: shapes_pulls.review_comment(call.world, one))


@TABLE.on("GET", "/repos/{owner}/{repo}/pulls/comments", _READ)
async def all_review_comments(call: Call) -> Reply:
    """Of all pull requests; `since`, sort and direction."""
    rows = [c for pull in call.repo.pulls() for thread in pull.threads for c in thread.comments]
    key = "updated_at" if call.query.get("sort") == "updated" else "created_at"
    rows.sort(key=lambda one: (getattr(one, key), one.id), reverse=call.query.get("direction") == "desc")
    return call.page(search.since(rows, call.query), lambda one: shapes_pulls.review_comment(call.world, one))


@TABLE.on("GET", "/repos/{owner}/{repo}/pulls/comments/{comment}", _READ)
async def review_comment(call: Call) -> Reply:
    """One comment on a line."""
    number = call.number("comment")
    for pull in call.repo.pulls():
        for thread in pull.threads:
            for one in thread.comments:
                if one.id == number:
                    return Reply(shapes_pulls.review_comment(call.world, one))
    raise not_found()


@TABLE.on("POST", f"{_PULL}/comments", _WRITE, content=True)
async def comment_on_line(call: Call) -> Reply:
    """On a line, or an answer (`in_reply_to`)."""
    pull, body = pull_of(call), call.body
    text = call.text("body", "PullRequestReviewComment")
    if body.get("in_reply_to"):
        made = _answer(call, pull, int(body["in_reply_to"]), text)
    else:
        remark = reviews.Remark(
            path=call.text("path", "PullRequestReviewComment"), line=body.get("line"), body=text
        )
        one = reviews.give(
            call.world, pull, call.user, "COMMENT", remarks=[remark], commit=body.get("commit_id")
        )
        made = next(thread.comments[0] for thread in pull.threads if thread.comments[0].review is one)
    return Reply(shapes_pulls.review_comment(call.world, made), 201)


@TABLE.on("POST", f"{_PULL}/comments/{{comment}}/replies", _WRITE, content=True)
async def reply(call: Call) -> Reply:
    """An answer in a thread."""
    text = call.text("body", "PullRequestReviewComment")
    made = _answer(call, pull_of(call), call.number("comment"), text)
    return Reply(shapes_pulls.review_comment(call.world, made), 201)


def _answer(call: Call, pull: Pull, to: int, text: str) -> ReviewComment:
    for thread in pull.threads:
        if any(one.id == to for one in thread.comments):
            return reviews.answer(call.world, thread, call.user, text)
    raise not_found()
