"""`${NAME}` in a configuration: replaced by the variable; a missing one is an error that names it.

`${NAME:-text}` gives a default and `$${NAME}` a literal `${NAME}`. What is handed to a shell or to an
agent word for word is never expanded: a secret would land in an argument list or in a prompt, and a
command's own `${...}` would change its meaning.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.settings.document import Data
from orchestrator.settings.problems import KeyPath, Problem, Spots, camel

VERBATIM = frozenset(
    {
        "agentRules",
        "checks",
        "command",
        "launch",
        "message",
        "orchestratorRules",
        "patterns",
        "policy",
        "postCreate",
        "resume",
    }
)
"""Keys whose values, with all that is in them, stay as written."""

_PATTERN = re.compile(r"(\$?)\$\{([^}]*)\}")
_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)


@dataclass(slots=True)
class Expansion:
    """Expands one configuration, and remembers what came from the environment."""

    environment: Mapping[str, str]
    spots: Spots
    problems: list[Problem] = field(default_factory=list)
    used: dict[str, str] = field(default_factory=dict)
    """Variables that were put in, with their values: secrets, as far as we know."""

    def expand(self, data: Data, path: KeyPath = ()) -> Data:
        """A copy of `data` with the variables put in."""
        if isinstance(data, dict):
            return {
                key: value if camel(key) in VERBATIM else self.expand(value, (*path, key))
                for key, value in data.items()
            }
        if isinstance(data, list):
            return [self.expand(value, (*path, index)) for index, value in enumerate(data)]
        if isinstance(data, str) and "${" in data:
            return _PATTERN.sub(lambda match: self._variable(match, path), data)
        return data

    def _variable(self, match: re.Match[str], path: KeyPath) -> str:
        if match.group(1):
            return match.group(0)[1:]
        parts = _NAME.fullmatch(match.group(2))
        if not parts:
            self.problems.append(self.spots.problem(path, f"{match.group(0)} holds no name of a variable."))
            return ""
        name, default = parts.groups()
        value = self.environment.get(name, "")
        if value:
            self.used[name] = value
            return value
        if default is None:
            state = "empty" if name in self.environment else "not set"
            self.problems.append(self.spots.problem(path, f"The environment variable {name} is {state}."))
        return default or ""
