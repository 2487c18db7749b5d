"""People, repositories and issues as the REST API shows them."""

from __future__ import annotations

from bot.demo.github.model import Comment, Event, Issue, Label, Repository, User
from bot.demo.github.refusals import Json
from bot.demo.github.world import World, iso


def user(world: World, one: User) -> Json:
    """A simple user."""
    return {
        "login": one.login,
        "id": one.id,
        "node_id": one.node_id,
        "type": one.type,
        "site_admin": False,
        "url": world.api(f"/users/{one.login}"),
        "html_url": world.page(f"/{one.login}"),
    }


def full_user(world: World, one: User) -> Json:
    """With name and mail."""
    return user(world, one) | {"name": one.name, "email": one.email or None}


def permissions(role: str) -> Json:
    """The booleans that a repository shows."""
    order = ("read", "triage", "write", "maintain", "admin")
    rank = order.index(role) if role in order else -1
    names = ("pull", "triage", "push", "maintain", "admin")
    return {name: rank >= at for at, name in enumerate(names)}


def repository(world: World, repo: Repository, viewer: User | None = None, *, whole: bool = True) -> Json:
    """A repository; `whole` with what it allows."""
    url = world.api(f"/repos/{repo.full_name}")
    shape: Json = {
        "id": repo.id,
        "node_id": repo.node_id,
        "name": repo.name,
        "full_name": repo.full_name,
        "private": repo.private,
        "visibility": "private" if repo.private else "public",
        "owner": user(world, repo.owner),
        "html_url": world.page(f"/{repo.full_name}"),
        "description": None,
        "fork": repo.parent is not None,
        "url": url,
        "clone_url": world.page(f"/{repo.full_name}.git"),
        "default_branch": repo.default_branch,
        "archived": repo.archived,
        "disabled": False,
        "has_issues": True,
        "created_at": iso(repo.created_at),
        "updated_at": iso(repo.updated_at),
        "pushed_at": iso(repo.updated_at),
        "open_issues_count": sum(1 for issue in repo.issues.values() if issue.state == "open"),
        "permissions": permissions(repo.role_of(viewer)),
    }
    if whole:
        shape |= {
            "allow_merge_commit": repo.merging.merge,
            "allow_squash_merge": repo.merging.squash,
            "allow_rebase_merge": repo.merging.rebase,
            "allow_auto_merge": repo.merging.auto,
            "delete_branch_on_merge": repo.merging.delete_branch,
        }
        if repo.parent is not None:
            shape["parent"] = repository(world, repo.parent, viewer, whole=False)
    return shape


def label(world: World, repo: Repository, one: Label) -> Json:
    """A label."""
    return {
        "id": one.id,
        "node_id": one.node_id,
        "url": world.api(f"/repos/{repo.full_name}/labels/{one.name}"),
        "name": one.name,
        "color": one.color,
        "description": one.description or None,
        "default": False,
    }


def issue_url(world: World, one: Issue) -> str:
    """Of the REST API."""
    return world.api(f"/repos/{one.repo.full_name}/issues/{one.number}")


def page_url(world: World, one: Issue) -> str:
    """For people."""
    return world.page(f"/{one.repo.full_name}/{'pull' if one.pull else 'issues'}/{one.number}")


def issue(world: World, one: Issue) -> Json:
    """An issue, or the issue side of a pull request."""
    url = issue_url(world, one)
    shape: Json = {
        "id": one.id,
        "node_id": one.node_id,
        "url": url,
        "repository_url": world.api(f"/repos/{one.repo.full_name}"),
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "html_url": page_url(world, one),
        "number": one.number,
        "state": one.state,
        "state_reason": one.state_reason,
        "title": one.title,
        "body": one.body or None,
        "user": user(world, one.author),
        "author_association": one.association,
        "labels": [label(world, one.repo, row) for row in one.labels],
        "assignee": user(world, one.assignees[0]) if one.assignees else None,
        "assignees": [user(world, row) for row in one.assignees],
        "milestone": None,
        "locked": False,
        "comments": len(one.comments),
        "created_at": iso(one.created_at),
        "updated_at": iso(one.updated_at),
        "closed_at": iso(one.closed_at),
        "closed_by": user(world, one.closed_by) if one.closed_by else None,
    }
    if one.pull is not None:
        shape["draft"] = one.pull.draft
        shape["pull_request"] = {
            "url": world.api(f"/repos/{one.repo.full_name}/pulls/{one.number}"),
            "html_url": page_url(world, one),
            "merged_at": iso(one.pull.merged_at),
        }
    return shape


def comment(world: World, one: Comment) -> Json:
    """A comment on an issue or pull request."""
    repo = one.issue.repo.full_name
    return {
        "id": one.id,
        "node_id": one.node_id,
        "url": world.api(f"/repos/{repo}/issues/comments/{one.id}"),
        "html_url": f"{page_url(world, one.issue)}#issuecomment-{one.id}",
        "issue_url": issue_url(world, one.issue),
        "body": one.body,
        "user": user(world, one.author),
        "author_association": one.association,
        "created_at": iso(one.created_at),
        "updated_at": iso(one.updated_at),
        "performed_via_github_app": None,
    }


def event(world: World, one: Event) -> Json:
    """A line of a timeline."""
    return {
        "id": one.id,
        "node_id": one.node_id,
        "event": one.event,
        "actor": user(world, one.actor),
        "created_at": iso(one.created_at),
        "commit_id": None,
        "commit_url": None,
        **one.data,
    }
