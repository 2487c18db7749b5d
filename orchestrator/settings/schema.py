"""The JSON schema of a configuration, made from the models; `config/schema.json` is its copy.

`python -m orchestrator.settings.schema` prints it.
"""

from __future__ import annotations

import json
import sys

from orchestrator.settings import builtin
from orchestrator.settings.models import Config


def schema_text() -> str:
    """The schema as the file holds it."""
    schema = Config.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Agent Orchestrator configuration"
    keys = list(builtin.reaction_keys())
    for holder in (schema, schema["$defs"]["ProjectKeys"]):
        holder["properties"]["reactions"]["propertyNames"] = {"enum": keys}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Print the schema."""
    sys.stdout.write(schema_text())


if __name__ == "__main__":
    main()
