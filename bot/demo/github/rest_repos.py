"""REST: who one is, repositories, branches, refs, commits, rules, installations, rate limits."""

from __future__ import annotations

import base64

from bot.demo.github import pulls, rules, shapes
from bot.demo.github.calls import Call, Reply, Table
from bot.demo.github.model import Repository
from bot.demo.github.model_rules import Protection
from bot.demo.github.refusals import Json, Refused, not_found
from bot.demo.github.world import iso

TABLE = Table()
_REPO = "/repos/{owner}/{repo}"
_CONTENTS = ("contents", "read")


@TABLE.on("GET", "/user")
async def me(call: Call) -> Reply:
    """Installations have no user: 403."""
    if call.who.is_installation:
        raise Refused(403, "Resource not accessible by integration")
    return Reply(shapes.full_user(call.world, call.user))


@TABLE.on("GET", "/users/{name}")
async def person(call: Call) -> Reply:
    """Anybody."""
    found = call.world.users.get(call.params["name"].lower())
    if found is None:
        raise not_found()
    return Reply(shapes.full_user(call.world, found))


@TABLE.on("GET", "/rate_limit")
async def rate_limit(call: Call) -> Reply:
    """Costs nothing."""
    buckets = {name: call.limits.bucket(call.who.key, name).shape() for name in ("core", "graphql", "search")}
    return Reply({"resources": buckets, "rate": buckets["core"]})


@TABLE.on("GET", "/meta")
async def meta(_: Call) -> Reply:
    """As GitHub Enterprise Server answers."""
    return Reply({"verifiable_password_authentication": True, "installed_version": "3.19.0"})


@TABLE.on("GET", _REPO, ("metadata", "read"))
async def get(call: Call) -> Reply:
    """One repository."""
    return Reply(shapes.repository(call.world, call.repo, call.who.user))


@TABLE.on("GET", "/repositories/{id}")
async def get_by_id(call: Call) -> Reply:
    """By database id."""
    repo = call.world.by_id(call.number("id"))
    if repo is None or not call.access.sees(call.who, repo):
        raise not_found()
    return Reply(shapes.repository(call.world, repo, call.who.user))


@TABLE.on("GET", "/user/repos")
async def my_repositories(call: Call) -> Reply:
    """Where the caller has rights of their own."""
    rows = [repo for repo in call.world.repositories.values() if call.access.sees(call.who, repo)]
    rows = [repo for repo in rows if repo.owner is call.user or call.user.login in repo.collaborators]
    return call.page(rows, lambda repo: shapes.repository(call.world, repo, call.user))


@TABLE.on("GET", f"{_REPO}/collaborators/{{name}}/permission", ("metadata", "read"), role="write")
async def permission(call: Call) -> Reply:
    """What somebody may do here."""
    found = call.world.users.get(call.params["name"].lower())
    if found is None:
        raise not_found()
    role = call.repo.role_of(found)
    simple = {"triage": "read", "maintain": "write"}.get(role, role)
    return Reply({"permission": simple, "role_name": role, "user": shapes.user(call.world, found)})


@TABLE.on("GET", f"{_REPO}/collaborators/{{name}}", ("metadata", "read"), role="write")
async def is_collaborator(call: Call) -> Reply:
    """204 or 404."""
    found = call.world.users.get(call.params["name"].lower())
    if found is None or (found is not call.repo.owner and found.login not in call.repo.collaborators):
        raise not_found()
    return Reply(status=204)


# Branches, refs, commits, files.


def _branch(call: Call, name: str, sha: str) -> Json:
    url = call.world.api(f"/repos/{call.repo.full_name}/commits/{sha}")
    is_protected = rules.protection(call.repo, name) is not None
    protection = call.world.api(f"/repos/{call.repo.full_name}/branches/{name}/protection")
    return {
        "name": name, "commit": {"sha": sha, "url": url}, "protected": is_protected, "protection_url": protection
    }  # fmt: skip


@TABLE.on("GET", f"{_REPO}/branches", _CONTENTS)
async def branches(call: Call) -> Reply:
    """All, by name."""
    rows = sorted((await call.world.git(call.repo).branches()).items())
    return call.page(rows, lambda row: _branch(call, *row))


@TABLE.on("GET", f"{_REPO}/branches/{{branch+}}", _CONTENTS)
async def branch(call: Call) -> Reply:
    """One branch; `…/protection` beneath it for admins."""
    name = call.params["branch"]
    sha = await call.world.git(call.repo).resolve(f"refs/heads/{name}")
    if sha is None and "/protection" in name:
        return _protection(call, *name.split("/protection", 1))
    if sha is None:
        raise Refused(404, "Branch not found")
    found = rules.protection(call.repo, name)
    summary = {
        "enabled": found is not None,
        "required_status_checks": {
            "enforcement_level": "everyone" if found and found.admins else "non_admins" if found and found.checks
            else "off",
            "contexts": found.checks if found else [], "checks": _checks(found),
        },
    }  # fmt: skip
    return Reply(_branch(call, name, sha) | {"protection": summary})


def _checks(found: Protection | None) -> list[Json]:
    return [{"context": name, "app_id": None} for name in (found.checks if found else [])]


def _protection(call: Call, name: str, rest: str) -> Reply:
    call.access.check(call.who, call.repo, (("administration", "read"),), "admin")
    found = call.repo.protections.get(name)
    if found is None:
        raise Refused(404, "Branch not protected")
    shape = _protection_shape(call, name, found)
    if not rest:
        return Reply(shape)
    part = shape.get(rest.strip("/"))
    if part is None:
        raise not_found()
    return Reply(part)


def _protection_shape(call: Call, name: str, found: Protection) -> Json:
    url = call.world.api(f"/repos/{call.repo.full_name}/branches/{name}/protection")
    shape: Json = {
        "url": url,
        "enforce_admins": {"url": f"{url}/enforce_admins", "enabled": found.admins},
        "required_linear_history": {"enabled": found.linear},
        "allow_force_pushes": {"enabled": False},
        "allow_deletions": {"enabled": False},
        "required_conversation_resolution": {"enabled": found.conversations},
    }
    if found.checks or found.strict:
        shape["required_status_checks"] = {
            "url": f"{url}/required_status_checks", "strict": found.strict, "contexts": found.checks,
            "checks": _checks(found),
        }  # fmt: skip
    if found.approvals is not None:
        shape["required_pull_request_reviews"] = {
            "url": f"{url}/required_pull_request_reviews", "dismiss_stale_reviews": found.dismiss_stale,
            "require_code_owner_reviews": found.code_owners,
            "required_approving_review_count": found.approvals, "require_last_push_approval": False,
        }  # fmt: skip
    return shape


@TABLE.on("GET", f"{_REPO}/rules/branches/{{branch+}}", ("metadata", "read"))
async def active_rules(call: Call) -> Reply:
    """Rules of the rulesets that hold for a branch; anybody who may read sees them."""
    name = call.params["branch"]
    rows: list[Json] = []
    for ruleset in call.repo.rulesets:
        if rules.applies(ruleset, call.repo, name):
            source = {
                "ruleset_source_type": "Repository", "ruleset_source": call.repo.full_name, "ruleset_id": ruleset.id
            }  # fmt: skip
            rows += [row | source for row in _rules(ruleset.rules, ruleset.methods)]
    return call.page(rows, lambda row: row)


def _rules(found: Protection, methods: list[str]) -> list[Json]:
    rows: list[Json] = []
    if found.checks:
        rows.append({"type": "required_status_checks", "parameters": {
            "strict_required_status_checks_policy": found.strict, "do_not_enforce_on_create": False,
            "required_status_checks": [{"context": name} for name in found.checks],
        }})  # fmt: skip
    if found.approvals is not None or found.conversations:
        rows.append({"type": "pull_request", "parameters": {
            "required_approving_review_count": found.approvals or 0,
            "dismiss_stale_reviews_on_push": found.dismiss_stale,
            "require_code_owner_review": found.code_owners, "require_last_push_approval": False,
            "required_review_thread_resolution": found.conversations, "allowed_merge_methods": methods,
        }})  # fmt: skip
    if found.merge_queue:
        rows.append(
            {"type": "merge_queue", "parameters": {"merge_method": "MERGE", "max_entries_to_merge": 5}}
        )
    if found.linear:
        rows.append({"type": "required_linear_history"})
    return rows


def _ref(call: Call, name: str, sha: str) -> Json:
    url = call.world.api(f"/repos/{call.repo.full_name}/git")
    return {
        "ref": name, "node_id": f"REF_{name}", "url": f"{url}/{name}",
        "object": {"sha": sha, "type": "commit", "url": f"{url}/commits/{sha}"},
    }  # fmt: skip


@TABLE.on("GET", f"{_REPO}/git/ref/{{ref+}}", _CONTENTS)
async def get_ref(call: Call) -> Reply:
    """heads/NAME or tags/NAME."""
    name = f"refs/{call.params['ref']}"
    sha = await call.world.git(call.repo).resolve(name)
    if sha is None:
        raise not_found()
    return Reply(_ref(call, name, sha))


@TABLE.on("GET", f"{_REPO}/git/matching-refs/{{ref+}}", _CONTENTS)
async def matching_refs(call: Call) -> Reply:
    """By prefix."""
    prefix = f"refs/{call.params['ref']}"
    found = await call.world.git(call.repo).branches()
    rows = [(f"refs/heads/{name}", sha) for name, sha in sorted(found.items())]
    return call.page([row for row in rows if row[0].startswith(prefix)], lambda row: _ref(call, *row))


@TABLE.on("POST", f"{_REPO}/git/refs", ("contents", "write"), role="write")
async def make_ref(call: Call) -> Reply:
    """A new branch."""
    name, sha = call.text("ref", "Reference"), call.text("sha", "Reference")
    git = call.world.git(call.repo)
    if await git.resolve(sha) is None:
        raise Refused(422, "Object does not exist")
    if not name.startswith("refs/") or not await git.move(name, sha, "0" * 40):
        raise Refused(422, "Reference already exists")
    await pulls.after_push(call.world, call.repo, call.user)
    return Reply(_ref(call, name, sha), 201)


@TABLE.on("DELETE", f"{_REPO}/git/refs/{{ref+}}", ("contents", "write"), role="write")
async def delete_ref(call: Call) -> Reply:
    """Delete a branch; open pull requests from it are closed."""
    name = f"refs/{call.params['ref']}"
    git = call.world.git(call.repo)
    if await git.resolve(name) is None:
        raise Refused(422, "Reference does not exist")
    branch_name = name.removeprefix("refs/heads/")
    if branch_name == call.repo.default_branch or rules.protection(call.repo, branch_name):
        raise Refused(422, "Cannot delete this branch")
    await git.delete(name)
    await pulls.after_push(call.world, call.repo, call.user)
    return Reply(status=204)


@TABLE.on("GET", f"{_REPO}/contents/{{path+}}", _CONTENTS)
async def contents(call: Call) -> Reply:
    """A file at a ref."""
    path, ref = call.params["path"], call.query.get("ref") or call.repo.default_branch
    text = await call.world.git(call.repo).show(ref, path) if not ref.startswith("-") else None
    if text is None:
        raise not_found()
    data = text.encode()
    url = call.world.api(f"/repos/{call.repo.full_name}/contents/{path}?ref={ref}")
    return Reply({
        "type": "file", "encoding": "base64", "size": len(data), "name": path.rsplit("/", 1)[-1], "path": path,
        "content": base64.encodebytes(data).decode(), "sha": "", "url": url,
    })  # fmt: skip


async def commit_shape(call: Call, repo: Repository, name: str) -> Json:
    """A commit by SHA or branch. Raises `Refused` (422) for none."""
    git = call.world.git(repo)
    sha = None if name.startswith("-") else await git.resolve(name)
    if sha is None:
        raise Refused(422, f"No commit found for SHA: {name}")
    shown = await git.run("log", "-1", "--format=%P%x00%an%x00%ae%x00%at%x00%B", sha)
    parents, author, mail, at, message = shown.split("\0", 4)
    who = {"name": author, "email": mail, "date": iso(float(at))}
    url = call.world.api(f"/repos/{repo.full_name}/commits/{sha}")
    return {
        "sha": sha, "node_id": f"C_{sha}", "url": url, "author": None, "committer": None,
        "html_url": call.world.page(f"/{repo.full_name}/commit/{sha}"),
        "commit": {"message": message.strip(), "author": who, "committer": who, "url": url},
        "parents": [{"sha": parent} for parent in parents.split()],
    }  # fmt: skip


@TABLE.on("GET", f"{_REPO}/compare/{{range+}}", _CONTENTS)
async def compare(call: Call) -> Reply:
    """`base...head`: how far ahead and behind."""
    base, dots, head = call.params["range"].partition("...")
    git = call.world.git(call.repo)
    one, two = await git.resolve(base.split(":")[-1]), await git.resolve(head.split(":")[-1])
    if not dots or one is None or two is None:
        raise not_found()
    counted = await git.run("rev-list", "--left-right", "--count", f"{one}...{two}")
    behind, ahead = map(int, counted.split())
    word = (
        "identical"
        if not ahead and not behind
        else "behind"
        if not ahead
        else "ahead"
        if not behind
        else "diverged"
    )
    start = await git.merge_base(one, two) or one
    url = call.world.api(f"/repos/{call.repo.full_name}/compare/{base}...{head}")
    return Reply({
        "status": word, "ahead_by": ahead, "behind_by": behind, "total_commits": ahead, "url": url,
        "base_commit": await commit_shape(call, call.repo, one), "commits": [], "files": [],
        "merge_base_commit": await commit_shape(call, call.repo, start),
    })  # fmt: skip
