from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.errors import NotFound
from orchestrator.settings.loader import Loaded, load
from orchestrator.settings.trust import Reason, file_digest, needs_trust, untrusted

Write = Callable[..., Loaded]


def launches(slot: str, name: str) -> tuple[str, ...]:
    """A registry in which one agent and one scm run what their options say."""
    return {("agent", "mine"): ("launch",), ("scm", "local"): ("checks",)}.get((slot, name), ())


def reasons(loaded: Loaded) -> tuple[Reason, ...]:
    return needs_trust(loaded.require(), launches)


@pytest.mark.parametrize(
    ("text", "path", "shown"),
    [
        ("projects: {a: {path: x, postCreate: [npm ci]}}", "projects.a.postCreate[0]", "npm ci"),
        ("projects: {a: {path: x, scm: {checks: [make]}}}", "projects.a.scm.checks", "make"),
        ("projects: {a: {path: x, agent: mine, agentConfig: {launch: [sh]}}}", "projects.a.agentConfig.launch", "sh"),
        ("projects: {a: {path: x, agentConfig: {permissions: skip}}}", "projects.a.agentConfig.permissions", "permissionless"),
        ("projects: {a: {path: x, worker: {agentConfig: {permissions: permissionless}}}}",
         "projects.a.worker.agentConfig.permissions", "permissionless"),
        ("projects: {a: {path: x, approvals: 0}}", "projects.a.approvals", "0"),
        ("projects: {a: {path: x, policy: {deny: [z], allow: [x]}}}", "projects.a.policy.allow[0]", "x"),
        ("projects: {a: {path: x, reactions: {approved-and-green: {action: auto-merge}}}}",
         "projects.a.reactions.approved-and-green.action", "auto-merge"),
        ("reactions: {approved-and-green: {action: auto-merge}}", "reactions.approved-and-green.action", "auto-merge"),
        ("projects: {a: {path: x, tracker: {path: ./t.py}}}", "projects.a.tracker.path", "./t.py"),
        ("notifiers: {a: {path: ./n.py}}", "notifiers.a.path", "./n.py"),
        ("plugins: [{name: a, path: ./p.py}]", "plugins[0].path", "./p.py"),
        ("people: {ada: {slack: U1}}", "people", "people"),
        ("roles: {admin: []}", "roles", "roles"),
        ("policy: {allow: [x(y)]}", "policy.allow[0]", "x(y)"),
        ("guard: {paths: [a], allow: [b]}", "guard.allow[0]", "b"),
        ("guard: {enabled: false}", "guard.enabled", "false"),
        ("guard: {maxFiles: 301}", "guard.maxFiles", "301"),
        ("projects: {a: {path: x, guard: {secrets: false}}}", "projects.a.guard.secrets", "false"),
        ("sandbox: off", "sandbox", "off"),
        ("console: {publicUrl: 'https://ao.example.org'}", "console", "https://ao.example.org"),
        ("console: {trustedProxies: [10.0.0.0/8]}", "console", "10.0.0.0/8"),
        ("defaults: {approvals: 0}", "defaults.approvals", "0"),
    ],
    ids=lambda value: None if "{" in value or ":" in value else value,
)  # fmt: skip
def test_what_runs_code_or_gives_rights_needs_trust(text: str, path: str, shown: str, write: Write) -> None:
    loaded = write(text)
    [reason] = reasons(loaded)
    assert (reason.path, reason.line) == (path, 1)
    assert shown in reason.text
    assert reason.digest == loaded.files[0].digest
    assert reason.project == ("a" if path.startswith("projects") else "")


def test_what_only_describes_needs_none(write: Write) -> None:
    text = "projects: {a: {path: x, agent: mine, symlinks: [.env], agentRules: r, reactions: {ci-failed: {retries: 1}}}}\n"
    text += "policy: {deny: [Bash(rm *)], ask: [Edit], allow: []}\n"
    assert (
        reasons(
            write(text + "plugins: [{name: a, path: p, enabled: false}]\nguard: {paths: [x], maxLines: 5}\n")
        )
        == ()
    )


def test_trust_ends_with_the_next_edit(write: Write) -> None:
    text = "projects: {a: {path: x, postCreate: [npm ci]}}\n"
    loaded = write(text)
    trusted = {loaded.files[0].digest}
    assert untrusted(reasons(loaded), trusted) == ()
    assert len(untrusted(reasons(write(text + "# more\n")), trusted)) == 1
    assert untrusted(reasons(write(text)), trusted) == ()


def test_the_file_of_a_plugin_is_trusted_by_itself(write: Write, tmp_path: Path) -> None:
    text = "projects: {a: {path: x, tracker: {path: ./t.py}}}\n"
    plugin = tmp_path / "repo/t.py"
    write(text)
    plugin.write_text("PLUGIN = 1\n")
    first = reasons(write(text))
    trusted = {reason.digest for reason in first}
    assert [reason.file.name for reason in first] == ["agent-orchestrator.yaml", "t.py"]
    assert untrusted(first, trusted) == ()
    plugin.write_text("PLUGIN = 2\n")
    assert [reason.file.name for reason in untrusted(reasons(write(text)), trusted)] == ["t.py"]


def test_the_registry_and_the_projects_own_file_are_trusted_apart(
    tmp_path: Path, env: dict[str, str]
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "repo").mkdir()
    (tmp_path / "home/config.yaml").write_text(f"sandbox: off\nprojects: {{a: {{path: {tmp_path}/repo}}}}\n")
    (tmp_path / "repo/agent-orchestrator.yaml").write_text("agent: x\npostCreate:\n  - make\n")
    loaded = load(tmp_path / "home/config.yaml", env)
    left = untrusted(reasons(loaded), {file_digest(tmp_path / "home/config.yaml")})
    assert [(reason.file.name, reason.line, reason.path) for reason in left] == [
        ("agent-orchestrator.yaml", 3, "postCreate[0]")
    ]


def test_what_is_absent_cannot_be_trusted(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        file_digest(tmp_path / "gone.py")


def test_a_folder_of_code_changes_with_any_file_in_it(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg/a.py").write_text("a")
    before = file_digest(tmp_path / "pkg")
    (tmp_path / "pkg/b.py").write_text("b")
    assert file_digest(tmp_path / "pkg") != before
