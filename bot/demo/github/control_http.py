"""The control over HTTP, with a secret of its own: `POST /control/NAME` with a JSON object of arguments."""

from __future__ import annotations

import hmac
import inspect
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.demo.github.access import App
from bot.demo.github.calls import Reply
from bot.demo.github.checks import Report
from bot.demo.github.control import Control
from bot.demo.github.model import Comment, Issue, Pull, Repository, Review, Thread
from bot.demo.github.model_checks import CheckRun
from bot.demo.github.model_rules import Protection, Ruleset
from bot.demo.github.refusals import CannotDo, Json, Refused
from bot.demo.github.reviews import Remark

_NAMES = (
    "user", "token", "revoke", "repository", "fork", "protect", "ruleset", "rename", "push", "head", "issue",
    "comment", "edit", "label", "unlabel", "pull", "close", "reopen", "retarget", "review", "resolve", "check",
    "check_at", "status", "advance_queue", "advance", "fault", "authorize", "settle", "ci", "allow", "team",
    "delete_issue", "delete_branch", "hold_webhooks", "release_webhooks", "app",
)  # fmt: skip
_BUILT: dict[str, Callable[..., object]] = {"protection": Protection, "report": Report}


@dataclass(slots=True)
class ControlHttp:
    """Names and arguments are those of `Control`; values such as `protection` and `report` are objects."""

    control: Control
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    async def answer(self, name: str, authorization: str, data: bytes) -> Reply:
        """What was made, in short."""
        given_secret = authorization.removeprefix("Bearer ").encode()
        if not hmac.compare_digest(given_secret, self.secret.encode()):
            return Reply({"error": "The control has a secret of its own."}, 401)
        if name == "state":
            return Reply(self._state())
        if name not in _NAMES:
            return Reply(
                {"error": f"There is no control {name}; there are {', '.join(_NAMES)} and state."}, 404
            )
        try:
            given = _built(json.loads(data or b"{}"))
            done = getattr(self.control, name)(*_first(name, given), **given)
            result = await done if inspect.isawaitable(done) else done
        except CannotDo as error:
            return Reply({"error": str(error)}, 409)
        except Refused as refused:
            return Reply(refused.body, 409)
        except (TypeError, ValueError, KeyError) as error:
            return Reply({"error": str(error)}, 400)
        return Reply(_short(result))

    def _state(self) -> Json:
        sent = self.control.webhooks.sent
        return {
            "calls": dict(self.control.calls),
            "unknown": self.control.unknown,
            "faults": self.control.faults.met,
            "failures": self.control.world.failures,
            "webhooks": [
                {"event": one.event, "action": one.action, "id": one.id, "status": one.status} for one in sent
            ],
        }


def _first(name: str, given: Json) -> list[Any]:
    """What comes without a name: `label` takes any number of `names`."""
    if name != "label":
        return []
    return [given.pop("full_name"), given.pop("number"), *given.pop("names")]


def _built(given: Json) -> Json:
    made = dict(given)
    for name, build in _BUILT.items():
        if isinstance(made.get(name), dict):
            made[name] = build(**made[name])
    if isinstance(made.get("ruleset"), dict):
        rules = Protection(**made["ruleset"].pop("rules"))
        made["ruleset"] = Ruleset(rules=rules, **made["ruleset"])
    if "remarks" in made:
        made["remarks"] = [Remark(**row) for row in made["remarks"]]
    if made.get("seed"):
        made["seed"] = Path(made["seed"])
    return made


def _short(made: Any) -> Json:  # noqa: ANN401 - what any control returns
    if isinstance(made, Issue | Pull):
        return {"number": made.number, "node_id": made.node_id}
    if isinstance(made, Repository):
        return {"full_name": made.full_name, "id": made.id}
    if isinstance(made, Comment | Review | CheckRun):
        return {"id": made.id, "node_id": made.node_id}
    if isinstance(made, App):
        return {"id": made.id, "client_id": made.client_id}
    if isinstance(made, Thread):
        return {"node_id": made.node_id}
    return {"result": made if isinstance(made, str | int | float | bool) else None}
