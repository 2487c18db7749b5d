"""A configuration as it counts, for `ao config show`: every default filled in, secrets masked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

from orchestrator.settings.document import dump
from orchestrator.settings.effective import Settings

_SECRET_KEY = re.compile(
    r"(token|secret|password|passphrase|api_?key|private_?key|webhook(_?url)?)$", re.IGNORECASE
)
MASK = "(hidden)"


def shown(settings: Settings) -> dict[str, Any]:
    """The effective configuration as plain data in camelCase."""
    data: dict[str, Any] = settings.config.model_dump(mode="json", by_alias=True, exclude_none=True)
    for name in settings.project_ids:
        entry = data["projects"][name]
        project, rules, parts = settings.project(name), settings.rules(name), settings.parts(name)
        entry |= {
            "name": project.name,
            "path": str(project.path),
            "sessionPrefix": project.prefix,
            "approvals": rules.approvals,
            "mergeMethod": rules.merge_method,
            "onMerge": rules.on_merge,
            "restore": rules.restore,
            "runtime": parts.runtime,
            "agent": parts.agent,
            "workspace": parts.workspace,
        }
        entry["agentConfig"] = dict(settings.agent(name).options)
        for slot in ("tracker", "scm"):
            entry[slot] = {**entry.get(slot, {}), "plugin": settings.plugin(name, slot).name}
    masked = mask(data, settings.secrets)
    return masked if isinstance(masked, dict) else {}


def show(settings: Settings) -> str:
    """The effective configuration as YAML."""
    return dump(_without_empty(shown(settings)))


def mask(value: JsonValue, secrets: Mapping[str, str]) -> JsonValue:
    """A copy without secrets: variables' values read `${NAME}` again, secret-looking keys are hidden."""
    if isinstance(value, dict):
        return {
            key: MASK if _hides(key, item, secrets) else mask(item, secrets) for key, item in value.items()
        }
    if isinstance(value, list):
        return [mask(item, secrets) for item in value]
    if isinstance(value, str):
        for name, secret in sorted(secrets.items(), key=lambda pair: -len(pair[1])):
            value = value.replace(secret, f"${{{name}}}")
    return value


def _hides(key: str, item: JsonValue, secrets: Mapping[str, str]) -> bool:
    """A secret written out in the file. One that came from the environment is shown by its name."""
    return isinstance(item, str) and bool(_SECRET_KEY.search(key)) and mask(item, secrets) == item


def _without_empty(data: object) -> object:
    if isinstance(data, dict):
        kept = {key: _without_empty(value) for key, value in data.items()}
        return {key: value for key, value in kept.items() if value not in ({}, [])}
    return data
