"""Defaults that are data: names of plugins and the built-in reactions, from `config/`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from pydantic import Field

from orchestrator import resources
from orchestrator.settings.base import Keys
from orchestrator.settings.document import Data, parse
from orchestrator.settings.reaction_model import Reaction


class Pair(Keys):
    """A tracker and an scm that go together."""

    tracker: str = Field(description="Tracker plugin.")
    scm: str = Field(description="Scm plugin.")


class PluginDefaults(Keys):
    """`config/defaults.yaml`: which plugins are used where nothing is written."""

    runtime: str = Field(description="Runtime plugin.")
    agent: str = Field(description="Agent plugin.")
    workspace: str = Field(description="Workspace plugin.")
    terminal: str = Field(description="Terminal plugin.")
    without_repo: Pair = Field(description="For projects without a forge.")
    with_repo: Pair = Field(description="For projects whose `repo` reads owner/name.")
    repo_hosts: tuple[str, ...] = Field(description="Hosts at which a checkout's remote stands for `repo`.")
    local_options: tuple[str, ...] = Field(description="Options of the plugins without a forge.")
    forges: tuple[str, ...] = Field(description="Forges that are taken when one of the blocks names them.")
    one_way: dict[str, str] = Field(description="Notifiers by what they are with an incoming webhook only.")
    always: tuple[str, ...] = Field(description="Told of everything besides the configured notifiers.")
    idle_reactions: tuple[str, ...] = Field(description="Keys of reactions that nothing triggers.")


@cache
def plugin_defaults() -> PluginDefaults:
    """What `config/defaults.yaml` says."""
    return PluginDefaults.model_validate(_data("defaults.yaml"))


@cache
def reactions() -> Mapping[str, Reaction]:
    """The built-in reactions: what `config/reactions.yaml` says."""
    table = {key: Reaction.model_validate(value) for key, value in _data("reactions.yaml").items()}
    return MappingProxyType(table)


def reaction_keys() -> tuple[str, ...]:
    """Every key that `reactions` may hold."""
    return (*reactions(), *plugin_defaults().idle_reactions)


def _data(name: str) -> dict[str, Data]:
    document = parse(resources.text(name), Path(name))
    if document.problems:
        msg = f"A data file of the product is damaged: {document.problems[0]}"
        raise RuntimeError(msg)
    return document.data
