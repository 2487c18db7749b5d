"""How a notification looks to the services that receive webhooks. Pure.

Sources: PagerDuty Events API v2 (`POST /v2/enqueue`; `dedup_key` at most 255 characters, `summary` 1,024),
Opsgenie Alert API (`POST /v2/alerts`; `message` 130, `alias` 250, `description` 15,000), ntfy "publish as
JSON" (priority 1 to 5). Checked against their documentation; not tried on the services themselves.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from orchestrator.domain.event import Level
from orchestrator.domain.notification import Notification
from orchestrator.domain.outside_text import bound, one_line

_PAGERDUTY_SEVERITY = {
    Level.URGENT: "critical", Level.ACTION: "error", Level.WARNING: "warning", Level.INFO: "info",
}  # fmt: skip
_OPSGENIE_PRIORITY = {Level.URGENT: "P1", Level.ACTION: "P2", Level.WARNING: "P3", Level.INFO: "P5"}
_NTFY_PRIORITY = {Level.URGENT: 5, Level.ACTION: 4, Level.WARNING: 3, Level.INFO: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A body to send, and the headers that belong to it."""

    body: Mapping[str, object]
    headers: Mapping[str, str] = field(default_factory=dict)

    def data(self) -> bytes:
        """The body as it goes over the wire."""
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def plain(notification: Notification) -> Shape:
    """Our own form: everything there is."""
    return Shape(body={"v": 1, "type": "notification", "notification": asdict(notification)})


def pagerduty(notification: Notification, routing_key: str) -> Shape:
    """An alert event. The same key is the same alert."""
    details = {
        "text": "\n".join(notification.lines),
        "session": notification.session,
        "next": _verbs(notification),
    }
    payload: dict[str, object] = {
        "summary": one_line(notification.title, 1024),
        "severity": _PAGERDUTY_SEVERITY[notification.level],
        "source": notification.session or notification.project or "agent-orchestrator",
        "component": notification.session,
        "group": notification.project,
        "class": notification.event_type,
        "custom_details": {name: bound(text, 10_000) for name, text in details.items() if text},
    }
    links = [{"href": notification.link, "text": "Open"}] if notification.link else []
    return Shape(
        body={
            "routing_key": routing_key,
            "event_action": "trigger",
            "dedup_key": _short(notification.key, 255),
            "client": "Agent Orchestrator",
            "payload": {name: value for name, value in payload.items() if value},
            "links": links,
        }
    )


def opsgenie(notification: Notification, api_key: str) -> Shape:
    """An alert. The same alias is the same alert."""
    details = {"session": notification.session, "event": notification.event_type, "link": notification.link}
    words = [*notification.lines, _verbs(notification)]
    return Shape(
        body={
            "message": one_line(notification.title, 130),
            "alias": _short(notification.key, 250),
            "description": bound("\n".join(word for word in words if word), 15_000),
            "priority": _OPSGENIE_PRIORITY[notification.level],
            "source": "agent-orchestrator",
            "entity": notification.project,
            "tags": [notification.level.value],
            "details": {name: text for name, text in details.items() if text},
        },
        headers={"Authorization": f"GenieKey {api_key}"},
    )


def ntfy(notification: Notification, topic: str, token: str = "") -> Shape:
    """A message on a topic; the topic stands in the body, the address is the server's."""
    words = [*notification.lines, _verbs(notification)]
    body: dict[str, object] = {
        "topic": topic,
        "title": one_line(notification.title, 250),
        "message": bound("\n".join(word for word in words if word), 3500)
        or one_line(notification.title, 250),
        "priority": _NTFY_PRIORITY[notification.level],
        "tags": [notification.level.value],
    }
    if notification.link:
        body["click"] = notification.link
    return Shape(body=body, headers={"Authorization": f"Bearer {token}"} if token else {})


def _verbs(notification: Notification) -> str:
    return "\n".join(f"{action.label}: ao {action.verb}" for action in notification.actions)


def _short(key: str, limit: int) -> str:
    """A key within a service's limit, still unlike any other."""
    if len(key) <= limit:
        return key
    digest = hashlib.sha256(key.encode()).hexdigest()[:32]
    return f"{key[: limit - len(digest) - 1]}-{digest}"
