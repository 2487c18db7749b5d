"""Adds and removes a project in a configuration file, keeping the rest of it byte for byte.

Called by `ao init` and `ao project add|rm`. Edits the text at the places that the YAML parser
names, so comments, order and spelling stay; the result is loaded before it replaces the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from orchestrator import disk
from orchestrator.domain import ids
from orchestrator.errors import BadInput, Conflict, NotFound
from orchestrator.settings import builtin
from orchestrator.settings.document import Data, Document, node_of, parse, quoted
from orchestrator.settings.loader import Loaded, load
from orchestrator.settings.problems import errors

_HEAD = """\
# Configuration of Agent Orchestrator. `ao config check` says what is wrong with it, `ao config show`
# what it means. Every key: docs/configuration.md.
"""

_WIDE = 10_000
"""Columns: what is copied is never folded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProject:
    """What a new project's entry says; everything else follows from the defaults."""

    id: str
    path: str
    default_branch: str = ""
    repo: str = ""
    session_prefix: str = ""
    name: str = ""
    agent: str = ""
    """The agent plugin; empty: the default."""
    post_create: Sequence[str] = ()
    checks: Sequence[str] = ()
    """Commands of the scm's own checks, for a project without a forge."""
    local: bool = False
    """Issues and pull requests stay on this machine, whatever the checkout's remote is."""
    more: Mapping[str, Data] = field(default_factory=dict)
    """Further keys as they stand in another file, none of the above."""

    def lines(self, indent: str, step: str) -> list[str]:
        """The entry as lines of YAML, each without its line end."""
        rows = [f"{indent}{quoted(self.id)}:"]
        inner = indent + step
        pairs = {
            "name": self.name,
            "path": self.path,
            "repo": self.repo,
            "defaultBranch": self.default_branch,
            "sessionPrefix": self.session_prefix,
            "agent": self.agent,
        }
        rows += [f"{inner}{key}: {quoted(value)}" for key, value in pairs.items() if value]
        if self.post_create:
            rows += [f"{inner}postCreate:", *(f"{inner}{step}- {quoted(line)}" for line in self.post_create)]
        here = f"{inner}{step}plugin: {builtin.plugin_defaults().without_repo.scm}"
        if self.local:
            rows += [
                f"{inner}tracker:",
                f"{inner}{step}plugin: {builtin.plugin_defaults().without_repo.tracker}",
            ]
        if self.checks or self.local:
            rows += [f"{inner}scm:", *([here] if self.local else [])]
        if self.checks:
            rows.append(f"{inner}{step}checks:")
            rows += [f"{inner}{step * 2}- {quoted(line)}" for line in self.checks]
        if self.more:
            text = yaml.safe_dump(dict(self.more), sort_keys=False, allow_unicode=True, width=_WIDE)
            rows += [f"{inner}{line}" for line in text.splitlines()]
        return rows


def add_project(path: Path, project: NewProject, env: Mapping[str, str]) -> Loaded:
    """Add `project` to the file at `path`, making the file if need be; returns what it means now.

    Raises `BadInput` for a bad id or an entry that does not load, `Conflict` for a project that is
    there already or a file that changed meanwhile. Nothing is written then.
    """
    ids.project_id(project.id)
    before = path.read_text(encoding="utf-8") if path.exists() else None
    after = with_project(before or "", project, path)
    return _replace(path, before, after, env)


def remove_project(path: Path, project: str, env: Mapping[str, str]) -> Loaded:
    """Take a project out of the file at `path`; its folder and sessions are not touched.

    Raises `NotFound` for an unknown project or file, `Conflict` if the file changed meanwhile.
    """
    if not path.exists():
        msg = f"There is no {path}."
        raise NotFound(msg)
    before = path.read_text(encoding="utf-8")
    return _replace(path, before, without_project(before, project, path), env)


def with_project(text: str, project: NewProject, path: Path) -> str:
    """The text with `project` added at the end of `projects`."""
    root = _root(text, path)
    if root is None or not root.value:
        return (text or _HEAD).rstrip("\n") + "\n\n" + _section(project)
    found = _entry(root, "projects")
    if found is None:
        return text.rstrip("\n") + "\n\n" + _section(project)
    key, projects = found
    if isinstance(projects, yaml.ScalarNode) and not projects.value:
        projects = yaml.MappingNode("", [], key.end_mark, projects.end_mark, flow_style=False)
    if not isinstance(projects, yaml.MappingNode):
        msg = f"`projects` in {path} is no mapping."
        raise BadInput(msg)
    if _entry(projects, project.id) is not None:
        msg = f"There is a project {project.id!r} in {path} already."
        raise Conflict(msg, next_step=f"Choose another name, or `ao project rm {project.id}` first.")
    return _inserted(text, key, projects, project, path)


def without_project(text: str, project: str, path: Path) -> str:
    """The text without the entry of `project`, and without the comment that stands right above it."""
    root = _root(text, path)
    found = _entry(root, "projects") if root else None
    projects = found[1] if found else None
    entry = _entry(projects, project) if isinstance(projects, yaml.MappingNode) else None
    if found is None or not isinstance(projects, yaml.MappingNode) or entry is None:
        msg = f"There is no project {project!r} in {path}."
        raise NotFound(msg)
    _refuse_flow(projects, path)
    lines = text.splitlines(keepends=True)
    first, last = entry[0].start_mark.line, _last_line(entry[1], entry[0])
    above = " " * entry[0].start_mark.column + "#"
    while first > found[0].start_mark.line + 1 and lines[first - 1].startswith(above):
        first -= 1
    del lines[first : last + 1]
    if len(projects.value) == 1:
        head = found[0].start_mark.line
        lines[head] = lines[head].replace(":", ": {}", 1)
    after = "".join(lines)
    left = {key.value for key, _ in projects.value} - {project}
    return _verified(text, after, left, path)


def write_atomically(path: Path, text: str, mode: int = 0o600) -> None:
    """Replace `path` (through a link, what it names), durably: the old content or the new, never a part."""
    target = path.resolve()
    if target.exists():
        mode = target.stat().st_mode & 0o777
    disk.replace(target, text.encode(), mode=mode, alone=False)


def _replace(path: Path, before: str | None, after: str, env: Mapping[str, str]) -> Loaded:
    """Write `after` unless it brings errors that were not there; a variable unset here is no hindrance."""
    loaded = load(path, env, text=after)
    known = (
        {(old.path, old.message) for old in errors(load(path, env).problems)} if before is not None else set()
    )
    new = [problem for problem in loaded.errors if (problem.path, problem.message) not in known]
    if new:
        msg = f"{path} would not load any more: " + " ".join(str(problem) for problem in new)
        raise BadInput(msg, next_step="Nothing was written.")
    now = path.read_text(encoding="utf-8") if path.exists() else None
    if now != before:
        msg = f"{path} was changed by somebody else just now."
        raise Conflict(msg, next_step="Try again.")
    write_atomically(path, after)
    return loaded


def _section(project: NewProject) -> str:
    return "\n".join(["projects:", *project.lines("  ", "  ")]) + "\n"


def _root(text: str, path: Path) -> yaml.MappingNode | None:
    document = parse(text, path)
    if document.problems:
        msg = f"{path} cannot be edited: {document.problems[0]}"
        raise BadInput(msg, next_step="Mend it first; `ao config check` shows everything.")
    root = node_of(text)
    return root if isinstance(root, yaml.MappingNode) else None


def _entry(mapping: yaml.MappingNode, name: str) -> tuple[yaml.Node, yaml.Node] | None:
    return next(((key, value) for key, value in mapping.value if key.value == name), None)


def _inserted(text: str, key: yaml.Node, projects: yaml.MappingNode, project: NewProject, path: Path) -> str:
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    if not projects.value:
        at = key.start_mark.line
        if projects.flow_style:
            lines[at] = lines[at].replace("{}", "").rstrip() + "\n"
            if projects.start_mark.line != at or lines[at].split("#")[0].rstrip()[-1:] != ":":
                _refuse_flow(projects, path)
        indent = " " * key.start_mark.column + "  "
        new = project.lines(indent, "  ")
    else:
        _refuse_flow(projects, path)
        first_key, first_value = projects.value[0]
        indent = " " * first_key.start_mark.column
        new = project.lines(indent, _step(first_key, first_value))
        last_key, last_value = projects.value[-1]
        at = _last_line(last_value, last_key)
    lines[at + 1 : at + 1] = [f"{line}\n" for line in new]
    return _verified(text, "".join(lines), {*(key.value for key, _ in projects.value), project.id}, path)


def _verified(before: str, after: str, projects: set[str], path: Path) -> str:
    """`after`, if it holds exactly these projects and all else as it was; the edit is refused otherwise."""
    old, new = parse(before, path), parse(after, path)
    was, now = _projects(old), _projects(new)
    same = set(now) == projects and all(now[name] == was[name] for name in was.keys() & projects)
    if new.problems or old.data != new.data or not same:
        msg = f"{path} is written in a way that cannot be edited in place."
        raise BadInput(msg, next_step="Change `projects` in an editor.")
    return after


def _projects(document: Document) -> dict[str, Data]:
    """Takes the projects out of a document."""
    projects = document.data.pop("projects", None)
    return projects if isinstance(projects, dict) else {}


def _step(key: yaml.Node, value: yaml.Node) -> str:
    """How much deeper this file writes what stands below a project's key."""
    if not isinstance(value, yaml.MappingNode) or value.flow_style or not value.value:
        return "  "
    return " " * max(1, int(value.value[0][0].start_mark.column) - int(key.start_mark.column))


def _last_line(node: yaml.Node, key: yaml.Node) -> int:
    """The last line of a value: the deepest last child's, since a block's own end mark lies behind it."""
    if isinstance(node, yaml.MappingNode | yaml.SequenceNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _last_line(last[1], last[0]) if isinstance(last, tuple) else _last_line(last, key)
    end = node.end_mark
    line = end.line - 1 if end.column == 0 and end.line > node.start_mark.line else end.line
    return max(int(line), int(key.start_mark.line))


def _refuse_flow(projects: yaml.MappingNode, path: Path) -> None:
    if projects.flow_style:
        msg = f"`projects` in {path} is written in braces; only a block can be edited."
        raise BadInput(msg, next_step="Write one project a line, indented, and try again.")
