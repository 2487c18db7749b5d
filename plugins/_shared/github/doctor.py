"""Whether everything is there that a project needs of GitHub: who we are, what we may, what the rules ask.

    found = await examine(hub, project, wanted, reviewer=False)

Looks only, with two exceptions that change nothing: of a fine-grained token GitHub does not tell what it
may, so some writes are asked for with an empty body, which GitHub refuses as malformed (422) after it has
looked at the permission (403).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from orchestrator.domain.outside_text import one_line
from orchestrator.domain.project import Project
from orchestrator.errors import AoError, NotAllowed, NotFound
from orchestrator.ports.scm import Examined, Wanted
from plugins._shared.github import permissions
from plugins._shared.github.access import App
from plugins._shared.github.client import Answer, GitHub
from plugins._shared.github.mark import APPROVAL
from plugins._shared.github.pull import BranchRules
from plugins._shared.github.rules import rules_of

OK, WARNING, FAILURE = "ok", "warning", "failure"
_DAY = 86400.0
_SOON = 14 * _DAY
"""Seconds before its end at which a token is worth a word."""
_LOW = 0.1
_NOBODY = "0" * 40
_WRITES = (
    ("contents: write", "POST", "/git/refs", "push branches and merge"),
    ("pull_requests: write", "POST", "/pulls", "open, review and merge pull requests"),
    ("statuses: write", "POST", f"/statuses/{_NOBODY}", "set ao/approval"),
)
_READS = (
    ("checks: read", "/commits/{branch}/check-runs?per_page=1", "see check runs"),
    ("actions: read", "/actions/runs?per_page=1", "read logs of failing jobs"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Where:
    hub: GitHub
    project: Project
    wanted: Wanted
    reviewer: bool
    now: float
    others: bool = False
    """Somebody else than ourselves is linked."""

    @property
    def path(self) -> str:
        return f"/repos/{self.project.repo}"

    @property
    def fine(self) -> str:
        return "App" if isinstance(self.hub.identity, App) else "token"


async def examine(
    hub: GitHub, project: Project, wanted: Wanted, *, now: float, second: GitHub | None = None
) -> Sequence[Examined]:
    """Everything, one after the other where it builds on it. `second`: an account that reviews for people."""
    where = _Where(hub=hub, project=project, wanted=wanted, reviewer=second is not None, now=now)
    if not project.repo:
        step = "Write `repo: owner/name`, or set the checkout's `origin` to it."
        return [_bad("repository", f"{project.id} names no repository on {hub.host}", step)]
    try:
        signed_in = await _signed_in(where)
    except AoError as error:
        return [_bad("sign-in", error.what, error.next_step)]
    rows = [signed_in.row]
    try:
        answer = await hub.rest("GET", where.path)
    except AoError as error:
        return [*rows, _unreachable(where, error)]
    repo: Mapping[str, Any] = answer.data
    rows += list(_repository(where, repo))
    # Who signed in for us opens the pull requests, and approves none of them as themselves.
    where = replace(where, others=bool(wanted.linked - {signed_in.login, ""}))
    for part in await asyncio.gather(
        _may(where, signed_in, repo),
        _second(where, signed_in.login, second),
        _rules(where, repo),
        _hooks(where),
        _quota(where),
    ):
        rows += part
    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class _SignedIn:
    row: Examined
    scopes: tuple[str, ...] | None = None
    """Of a classic token; None: it has permissions."""
    login: str = ""
    """Empty for an App."""
    given: Mapping[str, str] | None = None
    """Of an App's installation, exactly; None: GitHub does not tell."""


async def _signed_in(where: _Where) -> _SignedIn:
    identity = where.hub.identity
    if isinstance(identity, App):
        there = await where.hub.outside("finding the installation", identity.installation)
        given = {str(name): str(level) for name, level in there.get("permissions", {}).items()}
        slug = one_line(str(there.get("app_slug", identity.id)), 60)
        text = f"as the GitHub App {slug} on {where.hub.host} (installation {there.get('id')}; its tokens are renewed)"
        return _SignedIn(row=_good("sign-in", text), given=given)
    source = getattr(identity, "source", "")
    try:
        answer = await where.hub.rest("GET", "/user")
    except NotAllowed:
        if not (await where.hub.token()).startswith("ghs_"):
            raise
        text = f"with an installation's token of {source}, which ends within the hour"
        step = "Configure the App itself (`app:`): then its tokens are renewed."
        return _SignedIn(row=_worth("sign-in", text, step))
    scopes = answer.headers.get("x-oauth-scopes")
    kind = "fine-grained token" if scopes is None else "classic token"
    login = one_line(str(answer.data.get("login", "")), 60)
    text = f"as {login} on {where.hub.host}, with the {kind} of {source}"
    return _SignedIn(
        row=_with_end(text, answer, where.now),
        login=login,
        scopes=None if scopes is None else tuple(s.strip() for s in scopes.split(",") if s.strip()),
    )


def _with_end(text: str, answer: Answer, now: float) -> Examined:
    """With when it ends, where GitHub says so (`GitHub-Authentication-Token-Expiration`)."""
    ends = _time(answer.headers.get("github-authentication-token-expiration", ""))
    if not ends:
        return _good("sign-in", text)
    day = datetime.fromtimestamp(ends, UTC).date().isoformat()
    if ends - now < _SOON:
        return _worth(
            "sign-in", f"{text}; it ends on {day}", "Make a new one, and restart `ao start` with it."
        )
    return _good("sign-in", f"{text}, until {day}")


def _time(text: str) -> float:
    """`2026-11-26 18:00:00 UTC`, or with an offset. 0 for anything else."""
    plain = re.sub(r"\s*UTC$", " +0000", text.strip())
    try:
        return datetime.strptime(plain, "%Y-%m-%d %H:%M:%S %z").timestamp()
    except ValueError:
        return 0.0


def _unreachable(where: _Where, error: AoError) -> Examined:
    if isinstance(error, NotFound):
        text = f"{where.project.repo} is not there, or we may not see it"
        step = f"Mend `repo`, or give the {where.fine} access to it."
        return _bad("repository", text, step)
    return _bad("repository", error.what, error.next_step)


def _repository(where: _Where, repo: Mapping[str, Any]) -> Iterator[Examined]:
    name = one_line(str(repo.get("full_name", "")), 140)
    if name.lower() != where.project.repo.lower():
        step = f"Write `repo: {name}`, and set the checkout's remote to it; until then GitHub forwards."
        yield _worth("repository", f"{where.project.repo} is {name} now", step)
    elif repo.get("archived"):
        yield _bad("repository", f"{name} is archived: nothing can be pushed", "Unarchive it on GitHub.")
    else:
        yield _good("repository", f"{name} ({'private' if repo.get('private') else 'public'})")
    branch, theirs = where.project.default_branch, str(repo.get("default_branch", ""))
    if theirs and branch != theirs:
        yield _good("branch", f"work starts from {branch}; GitHub's default branch is {one_line(theirs, 80)}")
    yield _method(where, repo)


def _method(where: _Where, repo: Mapping[str, Any]) -> Examined:
    keys = {"merge": "allow_merge_commit", "squash": "allow_squash_merge", "rebase": "allow_rebase_merge"}
    # Who may not push is not told; then nothing is known against it.
    allowed = [method for method, key in keys.items() if repo.get(key, True)]
    wanted = where.wanted.merge_method
    if wanted in allowed:
        return _good("merge method", f"{wanted}; allowed there: {', '.join(allowed)}")
    step = f"Set `mergeMethod: {allowed[0]}`, or allow it on GitHub." if allowed else "Allow one on GitHub."
    return _worth("merge method", f"{wanted} is not allowed there; {', '.join(allowed) or 'none'} is", step)


async def _second(where: _Where, ours: str, second: GitHub | None) -> list[Examined]:
    """The account that `scm.reviewer` names: whether its reviews could count."""
    if second is None:
        return []
    step = "`scm.reviewer` names another account, with the role Write there."
    if isinstance(second.identity, App):
        return [_worth("reviewer", "is a GitHub App: GitHub does not count its reviews", step)]
    try:
        login = one_line(str((await second.rest("GET", "/user")).data.get("login", "")), 60)
        repo = (await second.rest("GET", where.path)).data
    except AoError as error:
        return [_bad("reviewer", error.what, error.next_step)]
    if login == ours:
        text = f"{login} is who opens the pull requests: GitHub takes no review by their author"
        return [_bad("reviewer", text, step)]
    if not (repo.get("permissions") or {}).get("push"):
        return [_worth("reviewer", f"{login} may not write there: their reviews do not count", step)]
    return [_good("reviewer", f"{login} reviews for people who are not linked")]


async def _may(where: _Where, signed_in: _SignedIn, repo: Mapping[str, Any]) -> list[Examined]:
    rows = []
    issues = where.wanted.issues
    if signed_in.scopes is not None:
        lacks = permissions.missing_scopes(signed_in.scopes, private=bool(repo.get("private")))
        more = permissions.needless_scopes(signed_in.scopes)
    elif signed_in.given is not None:
        lacks = permissions.missing_permissions(signed_in.given, issues=issues)
        more = permissions.needless_permissions(signed_in.given, issues=issues)
    else:
        lacks, more = await _tried(where)
    if signed_in.given is None and not (repo.get("permissions") or {}).get("push", True):
        text = f"who signed in may only read {where.project.repo}: nothing can be pushed"
        rows.append(_bad("permissions", text, "Give them the role Write there."))
    rows += [_lack(where, lack) for lack in lacks]
    rows += [_needless(where, name, why) for name, why in more]
    if signed_in.scopes is None and signed_in.given is None:
        text = "GitHub does not tell what else a fine-grained token may; look at its page: no Administration: write, and Workflows only if agents are meant to change workflow files"
        rows.append(_good("permissions", text))
    return rows or [_good("permissions", "all that is needed, and nothing more")]


def _lack(where: _Where, lack: permissions.Lack) -> Examined:
    text = f"missing: {lack.name} (to {lack.what})"
    if lack.optional:
        return _good("permissions", f"without {lack.name} (to {lack.what}) all else works")
    return _bad("permissions", text, f"Give it to the {where.fine}; docs/github.md has the table.")


def _needless(where: _Where, name: str, why: str) -> Examined:
    return _worth("permissions", f"needless: {name} ({why})", f"Take it from the {where.fine}.")


async def _tried(where: _Where) -> tuple[tuple[permissions.Lack, ...], tuple[tuple[str, str], ...]]:
    """What a fine-grained token lacks, by what calls answer; and what it could reach besides."""
    branch = quote(where.project.default_branch, safe="")
    calls = [(name, "GET", path.format(branch=branch), what) for name, path, what in _READS]
    calls += _WRITES
    if where.wanted.issues:
        calls.append(("issues: write", "POST", "/issues", "label and comment on issues"))
    answers = await asyncio.gather(*(_refused(where, method, path) for _, method, path, _ in calls))
    lacks = tuple(
        permissions.Lack(name=name, what=what)
        for (name, _, _, what), refused in zip(calls, answers, strict=True)
        if refused
    )
    secrets = await _reaches(where, "/actions/secrets?per_page=1")
    return lacks, (("secrets", "may reach the names of secrets"),) if secrets else ()


async def _refused(where: _Where, method: str, path: str) -> bool:
    """Whether the permission is missing. Malformed, absent and everything else means: it is there."""
    try:
        await where.hub.probe(method, f"{where.path}{path}", {} if method == "POST" else None)
    except NotAllowed:
        return True
    except AoError:
        return False
    return False


async def _reaches(where: _Where, path: str) -> bool:
    try:
        await where.hub.probe("GET", f"{where.path}{path}")
    except AoError:
        return False
    return True


async def _rules(where: _Where, repo: Mapping[str, Any]) -> list[Examined]:
    branch = where.project.default_branch
    try:
        rules, protected = await rules_of(where.hub, where.project.repo, branch)
    except NotFound:
        step = "Mend `defaultBranch`, or push it."
        return [_bad("branch", f"{branch} is not on GitHub", step)]
    except AoError as error:
        return [_worth("rules", f"what {branch} requires cannot be seen: {error.what}", error.next_step)]
    return [*_reviews(where, rules), *_checks(where, rules, protected=protected)]


def _reviews(where: _Where, rules: BranchRules) -> Iterator[Examined]:
    branch, others = where.project.default_branch, where.others or where.reviewer
    asked = "an approving review" if rules.approvals == 1 else f"{rules.approvals} approving reviews"
    if rules.code_owners:
        asked += " by code owners"
    if rules.approvals and not others:
        text = f"{branch} requires {asked}, and ours do not count: we open the pull requests"
        step = "`ao link github` for those who approve; or they review on GitHub itself."
        yield _worth("reviews", text, step)
    elif rules.approvals:
        how = "linked people review as themselves" if where.others else "our second identity reviews"
        yield _good("reviews", f"{branch} requires {asked}; {how}")
    elif not where.wanted.approvals and not others:
        yield _good(
            "reviews", "none are asked for: Merge is offered, and no Approve, as it would count nowhere"
        )
    elif not others and APPROVAL not in rules.required:
        text = "approvals count for our own rules only: nobody is linked, and `ao/approval` is not required"
        step = f"`ao link github`, or require the status `ao/approval` on {branch}."
        yield _good("reviews", text, step)
    else:
        yield _good(
            "reviews", f"{branch} requires none on GitHub; our own rules ask for {where.wanted.approvals}"
        )


def _checks(where: _Where, rules: BranchRules, *, protected: bool) -> Iterator[Examined]:
    branch = where.project.default_branch
    if rules.required:
        yield _good("checks", f"{branch} requires {one_line(', '.join(sorted(rules.required)), 200)}")
    elif protected:
        yield _good("checks", f"{branch} is protected and requires no checks, as far as we may see")
    else:
        step = "Protect it on GitHub: then nobody, and no token, gets round checks and reviews."
        yield _good("checks", f"{branch} is not protected: whatever runs counts", step)


async def _hooks(where: _Where) -> list[Examined]:
    try:
        answer = await where.hub.probe("GET", f"{where.path}/hooks?per_page=100")
    except AoError:
        return [_good("webhooks", "whether GitHub tells us cannot be seen from here; else we poll")]
    active = [hook for hook in answer.data or () if isinstance(hook, dict) and hook.get("active")]
    if not active:
        step = "`ao github webhook install` makes one, where `webhooks.listen` can be reached."
        return [_good("webhooks", "none: we poll", step)]
    return [_good("webhooks", f"{len(active)} active")]


async def _quota(where: _Where) -> list[Examined]:
    try:
        answer = await where.hub.probe("GET", "/rate_limit")
    except AoError as error:
        # Enterprise Server answers 404 where no limit is set.
        text = "no limit is set" if isinstance(error, NotFound) else error.what
        return [_good("quota", text)]
    resources = answer.data.get("resources") or {}
    rows = []
    for name in ("core", "graphql"):
        one = resources.get(name)
        if not isinstance(one, dict) or not one.get("limit"):
            continue
        left, limit = int(one.get("remaining", 0)), int(one["limit"])
        minutes = max(int((float(one.get("reset", where.now)) - where.now) / 60), 0)
        text = f"{'REST' if name == 'core' else 'GraphQL'}: {left} of {limit} left, anew in {minutes} min"
        rows.append(
            _good("quota", text)
            if left > limit * _LOW
            else _worth("quota", text, "We slow down by ourselves.")
        )
    return rows


def _good(subject: str, text: str, step: str = "") -> Examined:
    return Examined(level=OK, subject=subject, text=text, next_step=step)


def _worth(subject: str, text: str, step: str = "") -> Examined:
    return Examined(level=WARNING, subject=subject, text=text, next_step=step)


def _bad(subject: str, text: str, step: str = "") -> Examined:
    return Examined(level=FAILURE, subject=subject, text=text, next_step=step)
