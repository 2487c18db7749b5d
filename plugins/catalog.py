"""Every built-in plugin: (slot, name) -> where it is. Imports none of them.

`bot.app` hands this to the registry, tests walk it: a plugin that stands here has contract tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CATALOG: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("runtime", "tmux"): "plugins.runtime.tmux:PLUGIN",
        ("runtime", "process"): "plugins.runtime.process:PLUGIN",
        ("agent", "claude-code"): "plugins.agent.claude_code:PLUGIN",
        ("agent", "codex"): "plugins.agent.codex:PLUGIN",
        ("agent", "rehearsal"): "plugins.agent.rehearsal:PLUGIN",
        ("agent", "custom"): "plugins.agent.custom:PLUGIN",
        ("workspace", "worktree"): "plugins.workspace.worktree:PLUGIN",
        ("workspace", "clone"): "plugins.workspace.clone:PLUGIN",
        ("workspace", "copy"): "plugins.workspace.copy:PLUGIN",
        ("tracker", "local"): "plugins.tracker.local:PLUGIN",
        ("tracker", "github"): "plugins.tracker.github:PLUGIN",
        ("scm", "local"): "plugins.scm.local:PLUGIN",
        ("scm", "github"): "plugins.scm.github:PLUGIN",
        ("notifier", "desktop"): "plugins.notifier.desktop:PLUGIN",
        ("notifier", "webhook"): "plugins.notifier.webhook:PLUGIN",
        ("terminal", "tmux"): "plugins.terminal.tmux:PLUGIN",
        ("terminal", "iterm2"): "plugins.terminal.iterm2:PLUGIN",
        ("terminal", "custom"): "plugins.terminal.custom:PLUGIN",
        ("terminal", "web"): "plugins.terminal.web:PLUGIN",
        ("terminal", "none"): "plugins.terminal.none:PLUGIN",
    }
)
"""In the order of the slots; `module:attribute`."""
