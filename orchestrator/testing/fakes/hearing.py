"""A forge's webhooks in memory: a delivery is JSON, and the secret itself is its signature."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence

from typing_extensions import override

from orchestrator.domain.ids import SessionId
from orchestrator.domain.project import Project
from orchestrator.errors import BadInput, NotAllowed, NotFound
from orchestrator.ports.scm import Heard, Hears

SIGNED_WITH = "s3cret"


def delivery(
    number: int, event: str = "pull_request", *, secret: str = SIGNED_WITH, **told: object
) -> tuple[dict[str, str], bytes]:
    """Headers and body that `FakeHearing` understands; `told`: repository, sessions, issues."""
    headers = {"x-fake-event": event, "x-fake-delivery": f"delivery-{number}", "x-fake-secret": secret}
    return headers, json.dumps(told).encode()


class FakeHearing(Hears):
    """Says what a delivery says. `forgotten` are the sessions that were to be seen anew."""

    def __init__(self) -> None:
        self.forgotten: list[SessionId] = []
        self.heard: set[str] = set()
        """Repositories of which something was heard."""

    @override
    def hear(
        self, project: Project, headers: Mapping[str, str], body: bytes, secrets: Sequence[str]
    ) -> Heard:
        given = headers.get("x-fake-secret", "").encode()
        if not any(one and hmac.compare_digest(one.encode(), given) for one in secrets):
            msg = "it is not signed with our secret."
            raise NotAllowed(msg)
        try:
            told = json.loads(body)
            repository = str(told.get("repository", project.repo))
        except (ValueError, AttributeError) as error:
            msg = "its body is no JSON object."
            raise BadInput(msg) from error
        if repository != project.repo:
            msg = f"it is about {repository}."
            raise NotFound(msg)
        return Heard(
            id=headers.get("x-fake-delivery", ""),
            event=headers.get("x-fake-event", ""),
            repository=repository,
            sessions=tuple(map(SessionId, told.get("sessions", ()))),
            issues=bool(told.get("issues", False)),
        )

    @override
    def take(self, heard: Heard) -> None:
        self.heard.add(heard.repository)
        self.forgotten += heard.sessions

    @override
    def covered(self, project: Project) -> bool:
        return project.repo in self.heard
