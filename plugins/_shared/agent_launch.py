"""How an agent's program is started, by its profile: command line, files, environment, its own folder."""

from __future__ import annotations

import json
from collections.abc import Mapping

from orchestrator.ports.agent import AgentTask
from orchestrator.ports.place import Place
from orchestrator.ports.session_ref import SessionRef
from plugins._shared.agent_profile import Profile, fill, fill_text, prompt_argument

KEY_END = 20
"""Last characters of a key by which a program remembers that a person agreed to it."""
_NONE = "AoJudgesNoTool"


class Launcher:
    """Fills a profile's lines. `ours` is the environment of this process, for what the profile lets through."""

    def __init__(self, profile: Profile, ours: Mapping[str, str]) -> None:
        self.profile = profile
        self._ours = ours
        home = profile.home
        self._keys = {name: ours[name] for name in (home.keys if home else ()) if ours.get(name)}
        self.isolated = home is not None and (profile.isolated or bool(self._keys))
        """Sessions have folders of their own instead of the person's."""

    def agent_home(self, session: SessionRef, place: Place) -> str:
        """The folder in which the agent's program keeps its own things; empty where it has none."""
        home = self.profile.home
        if home is None:
            return ""
        if self.isolated:
            return f"{place.folder}/agent/home"
        return self._ours.get(home.variable) or f"{session.environment.get('HOME', '')}/{home.folder}"

    def argv(self, session: SessionRef, place: Place, task: AgentTask, *, resume: bool) -> tuple[str, ...]:
        """The command line."""
        line = self.profile.resume if resume else self.profile.launch
        home = self.profile.home
        variables = {**(home.defaults if home else {}), **self.environment(session, place, task)}
        return fill(line, {**variables, **self.values(session, place, task)}, self._lists(task))

    def environment(self, session: SessionRef, place: Place, task: AgentTask) -> dict[str, str]:
        """What is added to the session's allow-list."""
        values, home = self.values(session, place, task), self.profile.home
        found = {key: fill_text(text, values) for key, text in self.profile.environment.items()}
        found |= {name: self._ours[name] for name in self.profile.passes if self._ours.get(name)}
        if home is not None:
            found |= self._keys
            if self.isolated or self._ours.get(home.variable):
                found[home.variable] = values["agent_home"]
        return found

    async def write_files(self, session: SessionRef, place: Place, task: AgentTask) -> None:
        """Settings and hooks, and what lies in a folder of the agent's own. Repeatable."""
        values = self.values(session, place, task)
        for path, text in self.profile.files.items():
            await place.write(f"{place.folder}/{path}", fill_text(text, values).encode())
        home = self.profile.home
        if home is None or not self.isolated:
            return
        key = next(iter(self._keys.values()), "")
        there = {entry.name for entry in await place.list(values["agent_home"])}
        for name, text in home.files.items():
            if name not in there:
                about = {"key_end": key[-KEY_END:], "trusted": self._trusts(session, task)}
                filled = fill_text(text, {**values, **about})
                await place.write(f"{values['agent_home']}/{name}", filled.encode())

    def _trusts(self, session: SessionRef, task: AgentTask) -> str:
        """What a new folder of its own says of the project's folder: that a person trusted it, or nothing."""
        home = self.profile.home
        given = any(
            rule.remember and task.remembered.get(rule.name) == rule.choices[0].label
            for rule in self.profile.dialogs
        )
        if home is None or not given:
            return ""
        return fill_text(home.trusts, {"repository": json.dumps(str(session.project.path))[1:-1]})

    def values(self, session: SessionRef, place: Place, task: AgentTask) -> dict[str, str]:
        """What the placeholders stand for."""
        prompt_file = f"{place.folder}/prompt.md"
        return {
            **self.places(session, place),
            "prompt": prompt_argument(task.prompt, prompt_file),
            "prompt_file": prompt_file,
            "conversation": task.conversation,
            "workspace": session.workspace,
            "session": session.id,
            "model": self.profile.model,
            "judged": "*" if "*" in task.judged else "|".join(sorted(task.judged)) or _NONE,
        }

    def places(self, session: SessionRef, place: Place) -> dict[str, str]:
        """Those placeholders that name folders."""
        return {"folder": place.folder, "agent_home": self.agent_home(session, place)}

    def _lists(self, task: AgentTask) -> Mapping[str, tuple[str, ...]]:
        profile = self.profile
        own = profile.home if self.isolated else None
        return {
            "program": profile.program,
            "permission_flags": profile.permission_flags.get(profile.permissions, ()),
            "model_flags": profile.model_flags if profile.model else (),
            "flags": profile.flags,
            "judge_flags": profile.judge_flags if task.judged else (),
            "home_flags": own.flags if own is not None else (),
        }
