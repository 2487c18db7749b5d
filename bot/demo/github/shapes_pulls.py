"""Pull requests, reviews and review comments as the REST API shows them."""

from __future__ import annotations

from bot.demo.github import rules, shapes
from bot.demo.github.model import Change, Pull, Review, ReviewComment
from bot.demo.github.refusals import Json
from bot.demo.github.world import World, iso


def pull(world: World, one: Pull) -> Json:
    """As lists show it."""
    base = shapes.issue(world, one.issue)
    for name in ("repository_url", "labels_url", "events_url", "pull_request", "comments", "closed_by"):
        base.pop(name, None)
    url = world.api(f"/repos/{one.repo.full_name}/pulls/{one.number}")
    head = one.head_repo
    auto = one.auto_merge
    return base | {
        "id": one.id,
        "node_id": one.node_id,
        "url": url,
        "issue_url": shapes.issue_url(world, one.issue),
        "diff_url": f"{shapes.page_url(world, one.issue)}.diff",
        "statuses_url": world.api(f"/repos/{one.repo.full_name}/statuses/{one.head_sha}"),
        "draft": one.draft,
        "merged_at": iso(one.merged_at),
        "merge_commit_sha": one.merge_sha,
        "requested_reviewers": [shapes.user(world, row) for row in one.reviewers],
        "requested_teams": [],
        "head": {
            "label": f"{one.head_owner.login}:{one.head_ref}",
            "ref": one.head_ref,
            "sha": one.head_sha,
            "user": shapes.user(world, one.head_owner),
            "repo": None if head is None else shapes.repository(world, head, whole=False),
        },
        "base": {
            "label": f"{one.repo.owner.login}:{one.base_ref}",
            "ref": one.base_ref,
            "sha": one.base_sha,
            "user": shapes.user(world, one.repo.owner),
            "repo": shapes.repository(world, one.repo, whole=False),
        },
        "auto_merge": None if auto is None else {
            "enabled_by": shapes.user(world, auto.by), "merge_method": auto.method,
            "commit_title": auto.title, "commit_message": auto.message,
        },
    }  # fmt: skip


def whole(world: World, one: Pull, change: Change) -> Json:
    """One pull request alone, with what is computed."""
    shown = one.mergeable if one.is_open else None
    return pull(world, one) | {
        "merged": one.merged_at is not None,
        "mergeable": shown,
        "rebaseable": shown,
        "mergeable_state": rules.merge_state(one),
        "merged_by": shapes.user(world, one.merged_by) if one.merged_by else None,
        "comments": len(one.issue.comments),
        "review_comments": sum(len(thread.comments) for thread in one.threads),
        "maintainer_can_modify": False,
        "commits": len(change.commits),
        "additions": change.additions,
        "deletions": change.deletions,
        "changed_files": len(change.files),
    }


def review(world: World, one: Review) -> Json:
    """A review."""
    return {
        "id": one.id,
        "node_id": one.node_id,
        "user": shapes.user(world, one.author),
        "body": one.body,
        "state": one.state,
        "html_url": f"{shapes.page_url(world, one.pull.issue)}#pullrequestreview-{one.id}",
        "pull_request_url": world.api(f"/repos/{one.pull.repo.full_name}/pulls/{one.pull.number}"),
        "author_association": one.association,
        "submitted_at": iso(one.submitted_at),
        "commit_id": one.commit,
    }


def review_comment(world: World, one: ReviewComment) -> Json:
    """A comment on a line."""
    pull_of = one.thread.pull
    repo = pull_of.repo.full_name
    first = one.thread.comments[0]
    shape: Json = {
        "id": one.id,
        "node_id": one.node_id,
        "url": world.api(f"/repos/{repo}/pulls/comments/{one.id}"),
        "html_url": f"{shapes.page_url(world, pull_of.issue)}#discussion_r{one.id}",
        "pull_request_url": world.api(f"/repos/{repo}/pulls/{pull_of.number}"),
        "pull_request_review_id": one.review.id,
        "diff_hunk": "",
        "path": one.thread.path,
        "line": None if one.thread.outdated else one.thread.line,
        "original_line": one.thread.line,
        "side": one.thread.side,
        "commit_id": pull_of.head_sha,
        "original_commit_id": one.thread.commit,
        "user": shapes.user(world, one.author),
        "body": one.body,
        "author_association": one.association,
        "created_at": iso(one.created_at),
        "updated_at": iso(one.updated_at),
    }
    return shape if one is first else shape | {"in_reply_to_id": first.id}
