"""Pages for people: repositories, issues, pull requests, jobs, and where a device's code is typed. All is escaped."""

from __future__ import annotations

from html import escape

from bot.demo.github import rules
from bot.demo.github.graph_fields import pull_state
from bot.demo.github.model import Issue, Pull, Repository
from bot.demo.github.model_checks import CheckRun
from bot.demo.github.world import World, iso

SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem; color: #1f2328 }
h1 small { color: #59636e; font-weight: normal } pre { white-space: pre-wrap; overflow-wrap: anywhere }
.state { background: #eee; border-radius: 1rem; padding: .1rem .7rem } article { border: 1px solid #d1d9e0;
border-radius: .4rem; margin: 1rem 0; padding: .3rem 1rem } article header { color: #59636e }
td, th { padding: .1rem .8rem .1rem 0; text-align: left }
"""


def _page(title: str, body: str) -> str:
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body>{body}<footer><p>A fake GitHub on this machine.</p></footer>"
        "</body></html>\n"
    )


def _text(text: str) -> str:
    return f"<pre>{escape(text)}</pre>" if text else "<p><i>No description.</i></p>"


def _said(who: str, what: str, at: float, text: str) -> str:
    return f"<article><header>{escape(who)} {escape(what)} {iso(at)}</header>{_text(text)}</article>"


def index(world: World) -> str:
    """All public repositories."""
    rows = [
        _link(f"/{repo.full_name}", repo.full_name)
        for repo in world.repositories.values()
        if not repo.private
    ]
    return _page("GitHub", f"<h1>Repositories</h1><ul>{''.join(f'<li>{row}</li>' for row in rows)}</ul>")


def _link(path: str, text: str) -> str:
    return f'<a href="{escape(path)}">{escape(text)}</a>'


def repository(repo: Repository) -> str:
    """Its issues and pull requests, newest first."""
    rows = []
    for issue in sorted(repo.issues.values(), key=lambda one: -one.number):
        kind = "pull" if issue.pull else "issues"
        state = pull_state(issue.pull).lower() if issue.pull else issue.state
        labels = ", ".join(escape(label.name) for label in issue.labels)
        title = _link(f"/{repo.full_name}/{kind}/{issue.number}", f"#{issue.number} {issue.title}")
        rows.append(
            f"<tr><td>{title}</td><td>{state}</td><td>{escape(issue.author.login)}</td><td>{labels}</td></tr>"
        )
    table = f"<table><tr><th>Title<th>State<th>By<th>Labels</tr>{''.join(rows)}</table>"
    return _page(repo.full_name, f"<h1>{escape(repo.full_name)}</h1>{table}")


def issue(one: Issue) -> str:
    """An issue, or a pull request with its checks, reviews and threads."""
    pull = one.pull
    state = pull_state(pull).lower() if pull else one.state
    labels = " ".join(f'<span class="state">{escape(label.name)}</span>' for label in one.labels)
    head = (
        f"<p>{_link(f'/{one.repo.full_name}', one.repo.full_name)}</p>"
        f"<h1>{escape(one.title)} <small>#{one.number}</small></h1>"
        f'<p><span class="state">{state}</span> opened by {escape(one.author.login)} {labels}</p>'
    )
    parts = [head, _said(one.author.login, "wrote", one.created_at, one.body)]
    if pull is not None:
        parts.append(_pull(pull))
    parts += [_said(row.author.login, "commented", row.created_at, row.body) for row in one.comments]
    return _page(f"{one.title} · #{one.number}", "".join(parts))


def _pull(pull: Pull) -> str:
    draft = " (draft)" if pull.draft else ""
    head = f"{escape(pull.head_owner.login)}:{escape(pull.head_ref)} at {pull.head_sha[:12]}"
    parts = [f"<p>{head} into {escape(pull.base_ref)}{draft}: {rules.merge_state(pull)}</p>"]
    parts += [f"<p>{escape(text)}</p>" for text in rules.missing(pull) if pull.is_open]
    rows = [_check(pull.repo, run) for run in pull.repo.checks.latest(pull.head_sha)]
    rows += [
        f"<tr><td>{escape(row.context)}</td><td>{row.state}</td><td>{escape(row.description or '')}</td></tr>"
        for row in pull.repo.checks.contexts(pull.head_sha)
    ]
    parts.append(f"<h2>Checks</h2><table>{''.join(rows)}</table>")
    for review in pull.reviews:
        word = review.state.lower().replace("_", " ")
        parts.append(
            _said(review.author.login, f"{word} at {review.commit[:12]},", review.submitted_at, review.body)
        )
    for thread in pull.threads:
        word = "resolved" if thread.resolved_by else "open"
        parts.append(f"<h3>{escape(thread.path)}:{thread.line} <small>{word}</small></h3>")
        parts += [_said(row.author.login, "wrote", row.created_at, row.body) for row in thread.comments]
    return "".join(parts)


def _check(repo: Repository, run: CheckRun) -> str:
    workflow = run.suite.run
    path = f"/{repo.full_name}/actions/runs/{workflow.id if workflow else 0}/job/{run.id}"
    return f"<tr><td>{_link(path, run.name)}</td><td>{run.conclusion or run.status}</td></tr>"


def job(repo: Repository, run: CheckRun) -> str:
    """Its steps and log."""
    steps = "".join(
        f"<li>{escape(str(row['name']))}: {escape(str(row['conclusion']))}</li>" for row in run.steps
    )
    body = f"<h1>{escape(run.name)}: {run.conclusion or run.status}</h1><ol>{steps}</ol>{_text(run.log)}"
    return _page(f"{run.name} · {repo.full_name}", body)


def device(logins: list[str], told: str = "", code: str = "") -> str:
    """Where a person types the code of a device and says who they are; the fake asks for no password."""
    options = "".join(f"<option>{escape(login)}</option>" for login in logins)
    form = (
        '<form method="post" action="/login/device">'
        f'<p><label>Code <input name="user_code" value="{escape(code)}" autocomplete="off" required></label></p>'
        f'<p><label>Sign in as <select name="login">{options}</select></label></p>'
        '<p><button name="allow" value="yes">Authorize</button> <button name="allow" value="no">Cancel</button></p>'
        "</form>"
    )
    note = f"<p><b>{escape(told)}</b></p>" if told else ""
    return _page("Device activation", f"<h1>Device activation</h1>{note}{form}")
