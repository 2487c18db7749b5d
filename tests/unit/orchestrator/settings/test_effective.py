from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.domain.event import Level
from orchestrator.errors import NotFound
from orchestrator.settings.loader import Loaded
from orchestrator.settings.plugin_choice import External

Write = Callable[..., Loaded]


def test_a_project_as_plugins_are_told(write: Write, tmp_path: Path) -> None:
    project = (
        write("projects: {my-web: {path: ../my-web-app, name: Web, repo: a/b, symlinks: [.env]}}")
        .require()
        .project("my-web")
    )
    assert project.path == tmp_path / "repo/../my-web-app"
    assert project.folder == tmp_path / "home/projects/my-web"
    assert (project.name, project.prefix, project.repo, project.symlinks) == ("Web", "mwa", "a/b", (".env",))


def test_an_unknown_project_names_the_nearest(write: Write) -> None:
    settings = write("projects: {frontend: {path: x}}").require()
    with pytest.raises(NotFound, match="Did you mean frontend"):
        settings.project("fronted")
    with pytest.raises(NotFound, match="There are: frontend"):
        settings.rules("zzz")


@pytest.mark.parametrize(
    ("keys", "tracker", "scm"),
    [
        ("{path: x}", "local", "local"),
        ("{path: x, repo: app}", "local", "local"),
        ("{path: x, repo: a/b}", "github", "github"),
        ("{path: x, repo: a/b, tracker: {plugin: gitlab}}", "gitlab", "gitlab"),
        ("{path: x, repo: a/b, scm: {host: gitlab.acme.example}}", "gitlab", "gitlab"),
        ("{path: x, repo: a/b, tracker: {plugin: linear}}", "linear", "github"),
        ("{path: x, tracker: {plugin: linear}}", "linear", "local"),
        ("{path: x, scm: {checks: {t: make}}}", "local", "local"),
    ],
)
def test_tracker_and_scm_follow_the_repository(keys: str, tracker: str, scm: str, write: Write) -> None:
    parts = write(f"projects: {{app: {keys}}}").require().parts("app")
    assert (parts.tracker, parts.scm) == (tracker, scm)


AGENTS = """
defaults: {agent: one, worker: {agent: two}}
projects:
  plain: {path: a}
  own: {path: b, sessionPrefix: b, agent: three, agentConfig: {model: m, extra: 1, permissions: suggest}}
  role:
    path: c
    agent: three
    agentConfig: {model: m, extra: 1, orchestratorModel: big}
    orchestrator: {agentConfig: {extra: 2}}
    worker: {agent: four, agentConfig: {model: w}}
"""


def test_which_agent_and_which_options(write: Write) -> None:
    settings = write(AGENTS).require()
    auto = {"permissions": "auto-edit"}
    assert (settings.agent("plain").name, settings.agent("plain", "orchestrator").name) == ("two", "one")
    assert settings.agent("plain").options == auto
    assert settings.agent("own").options == {"permissions": "suggest", "model": "m", "extra": 1}
    assert (settings.agent("role").name, settings.agent("role").options) == ("four", {**auto, "model": "w"})
    orchestrator = settings.agent("role", "orchestrator")
    assert (orchestrator.name, orchestrator.options) == ("three", {**auto, "model": "big", "extra": 2})


def test_another_agent_at_spawn_gets_no_options_of_the_projects_agent(write: Write) -> None:
    settings = write(AGENTS).require()
    use = settings.agent("own", name="five")
    assert (use.name, use.options) == ("five", {"permissions": "suggest"})
    assert settings.agent("own", name="three").options["extra"] == 1
    assert settings.agent("role", name="three").options["model"] == "m"
    assert "model" not in settings.agent("role", name="five").options
    assert settings.parts("own", agent="five").agent == "five"


def test_options_of_runtime_and_workspace(write: Write) -> None:
    text = "projects: {a: {path: x, runtime: r, runtimeConfig: {o: 1}, workspace_config: {root: /w}}}"
    settings = write(text).require()
    assert (settings.plugin("a", "runtime").name, settings.plugin("a", "runtime").options) == ("r", {"o": 1})
    assert settings.plugin("a", "workspace").options == {"root": "/w"}
    assert settings.plugin("a", "scm").options == {}


def test_plugins_from_outside(write: Write, tmp_path: Path) -> None:
    loaded = write(
        "plugins: [{name: a}, {name: b, path: ./b.py}, {name: off, enabled: false}]\n"
        "projects:\n  x: {path: ., tracker: {package: ao-plugin-tracker-jira}, scm: {path: ../my_forge.py}}\n"
        "  y: {path: ., sessionPrefix: y, tracker: {package: ao-plugin-tracker-jira}}\n"
        "notifiers: {n: {plugin: page, path: ~/n.py}}\n"
    )
    settings = loaded.require()
    assert settings.externals == (
        External(name="a"),
        External(name="b", path=tmp_path / "repo/b.py"),
        External(name="jira"),
        External(name="my-forge", path=tmp_path / "repo/../my_forge.py"),
        External(name="page", path=tmp_path / "user/n.py"),
    )
    assert (settings.parts("x").tracker, settings.parts("x").scm) == ("jira", "my-forge")
    assert [(p.line, p.path) for p in loaded.problems] == [
        (1, "plugins[1].path"),
        (3, "projects.x.scm.path"),
        (5, "notifiers.n.path"),
    ]


def test_every_slot_of_a_project(write: Write) -> None:
    settings = write("projects: {a: {path: x}, b: {path: yy}}").require()
    assert settings.plugin("a", "agent") == settings.agent("a")
    assert [project.prefix for project in settings.projects()] == ["x", "yy"]
    assert settings.limits.sessions == 30


SLACK = "chat: {slack: {botToken: b, appToken: a, channel: C1}}"


def test_who_is_told(write: Write) -> None:
    assert write("port: 1").require().heard_by(Level.INFO) == ("web",)
    every = write(f"notifiers: {{hook: {{webhookUrl: x}}, d: {{plugin: desktop}}}}\n{SLACK}").require()
    assert every.heard_by(Level.URGENT) == ("hook", "d", "slack", "web")
    some = write(
        "defaults: {notifiers: [desktop]}\nnotificationRouting: {info: []}\nnotifiers: {x: {}}"
    ).require()
    assert (some.heard_by(Level.INFO), some.heard_by(Level.ACTION)) == ((), ("desktop",))
    assert set(some.notifiers) == {"x", "desktop"}


def test_a_surface_that_routing_names_is_no_plugin(write: Write) -> None:
    settings = write(f"{SLACK}\nnotificationRouting: {{info: [slack, web, desktop]}}").require()
    assert set(settings.notifiers) == {"desktop"}


@pytest.mark.parametrize(
    ("block", "name", "options"),
    [
        ("{webhook: u}", "slack-webhook", {"webhookUrl": "u"}),
        ("{webhookUrl: u, channel: c}", "slack-webhook", {"webhookUrl": "u", "channel": "c"}),
        ("{webhook_url: u}", "slack-webhook", {"webhook_url": "u"}),
        ("{channel: c}", "slack", {"channel": "c"}),
        ("{plugin: webhook, url: u, webhook: w}", "webhook", {"url": "u", "webhook": "w"}),
    ],
)
def test_an_incoming_webhook_means_the_one_way_notifier(
    block: str, name: str, options: dict[str, str], write: Write
) -> None:
    use = write(f"notifiers: {{slack: {block}}}").require().notifiers["slack"]
    assert (use.name, use.options) == (name, options)


def test_rules_for_the_prompt_come_from_text_and_file(write: Write, tmp_path: Path) -> None:
    settings = write("projects: {a: {path: ., agentRules: 'One. ', agentRulesFile: docs/rules.md}}").require()
    assert settings.agent_rules("a") == "One."
    (tmp_path / "repo/docs").mkdir()
    (tmp_path / "repo/docs/rules.md").write_text("Two.\n")
    assert settings.agent_rules("a") == "One.\n\nTwo."


def test_a_rules_file_that_links_out_of_the_repository_is_not_read(write: Write, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret")
    settings = write("projects: {a: {path: ., agentRulesFile: rules.md}}").require()
    (tmp_path / "repo/rules.md").symlink_to("../secret")
    assert settings.agent_rules("a") == ""
