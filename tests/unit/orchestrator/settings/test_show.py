from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from orchestrator.settings.document import parse
from orchestrator.settings.loader import Loaded
from orchestrator.settings.show import MASK, show, shown

Write = Callable[..., Loaded]

TEXT = """
projects:
  app: {path: ., repo: a/b, tracker: {plugin: linear, apiKey: written-out}}
notifiers:
  slack: {webhook: "${HOOK}"}
  alerts: {plugin: webhook, url: "https://x/${SPARE}/y", secret: also-written-out}
"""


def test_what_is_in_force_is_shown(write: Write) -> None:
    data = shown(write(TEXT, HOOK="https://h/s3cret", SPARE="t0k3n").require())
    app = data["projects"]["app"]
    assert (app["runtime"], app["scm"]["plugin"], app["sessionPrefix"], app["approvals"]) == (
        "tmux",
        "github",
        "repo",
        1,
    )
    assert app["agentConfig"] == {"permissions": "auto-edit"}
    assert data["lifecycle"]["detectingFor"] == "5m"


def test_secrets_are_never_shown(write: Write) -> None:
    text = show(write(TEXT, HOOK="https://h/s3cret", SPARE="t0k3n").require())
    assert not {"s3cret", "t0k3n", "written-out"} & set(text.replace("/", " ").split())
    notifiers = parse(text, Path("a.yaml")).data["notifiers"]
    assert notifiers == {
        "slack": {"webhook": "${HOOK}"},
        "alerts": {"plugin": "webhook", "url": "https://x/${SPARE}/y", "secret": MASK},
    }


def test_what_is_shown_loads_again(write: Write) -> None:
    settings = write(TEXT.replace("apiKey: written-out", "teamId: T"), HOOK="h://x", SPARE="t0k3n").require()
    again = write(show(settings), HOOK="h://x", SPARE="t0k3n").require()
    assert again.project("app") == settings.project("app")
    assert again.rules("app") == settings.rules("app")
    assert again.parts("app") == settings.parts("app")
