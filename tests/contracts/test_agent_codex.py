"""Codex, the real program in a real tmux against a model server of ours, keeps the agent port's promise."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import ClassVar

import pytest
from typing_extensions import override

from orchestrator import resources
from orchestrator.domain.activity import ActivityState, ReceiptStage, Trouble
from orchestrator.domain.look import Seen
from orchestrator.lifecycle import agent_folder
from orchestrator.ports.agent import Agent, AgentTask, AgentView, JudgesCalls, Verdict
from orchestrator.ports.plugin import PluginContext
from orchestrator.ports.runtime import Keys, Runtime
from orchestrator.ports.session_ref import SessionRef
from orchestrator.testing.contracts.agent import Start, Started
from orchestrator.testing.waiting import eventually
from plugins.agent.codex import PLUGIN
from tests.contracts import real_agents
from tests.contracts.real_agent_contract import RealAgent, RealAgentLeave, RealAgentPromise
from tests.contracts.real_agents import ModelServer, says

pytestmark = [pytest.mark.slow, pytest.mark.tmux, pytest.mark.timeout(700)]


def _escalated(command: str) -> real_agents.Step:
    """A command that the model wants to run outside of the sandbox."""
    given = {"cmd": command, "sandbox_permissions": "require_escalated", "justification": "May I?"}
    return {"tool": "exec_command", "input": given}


class Codex(RealAgent):
    @pytest.fixture
    def ours(self, server: ModelServer) -> dict[str, str]:
        """Variables of ours with which it talks to the model server, and to nobody else."""
        return {"OPENAI_API_KEY": real_agents.KEY, "OPENAI_BASE_URL": f"{server.url}/v1"}

    @override
    @pytest.fixture
    def agent(self, tmp_path: Path, ours: dict[str, str], request: pytest.FixtureRequest) -> Agent:
        # It makes no helper programs below the temporary folder, where its home is here: so that is another one.
        options = {
            "program": [real_agents.program("codex")],
            "permissions": self.permissions,
            "model": getattr(request, "param", "stub-model"),
            "environment": {"TMPDIR": str(tmp_path / "temporary")},
        }
        (tmp_path / "temporary").mkdir()
        context = PluginContext(home=tmp_path / "home", data=resources.text, now=time.time, environment=ours)
        return PLUGIN.create(PLUGIN.options.model_validate(options), context)


class TestPromise(RealAgentPromise, Codex):
    async def test_what_it_used_is_counted_once(self, start: Start) -> None:
        started = await start(
            f"Count. {says({'text_before': 'I look.', 'sh': 'true', 'usage': [100, 10]}, {'say': 'Done.', 'usage': [200, 20]})}"
        )
        look = await started.until(lambda look: look.usage is not None and look.usage.output_tokens >= 30)
        assert look.usage is not None
        used = (look.usage.input_tokens, look.usage.output_tokens, look.usage.model)
        assert used == (300, 30, "stub-model")

    async def test_a_running_tool_is_named_and_gone_after_a_stop(self, start: Start) -> None:
        started = await start(f"Wait. {says(real_agents.wait(61234))}")
        look = await started.until(lambda look: look.activity.tool)
        assert (look.activity.state, look.activity.tool) == (ActivityState.BUSY, "Bash")
        # An interrupt leaves the command running; the end of the session does not.
        await started.runtime.send(started.session, await started.agent.interrupt(started.session))
        await started.until_it_waits()
        assert _running("sleep(61234)")
        await started.runtime.stop(started.session)
        assert not _running("sleep(61234)")
        assert not _running(started.place.folder)

    @pytest.mark.parametrize("agent", ["gpt-5.5"], indirect=True)
    async def test_whether_a_newer_model_is_tried_is_asked_of_people(self, start: Start) -> None:
        started = await start("Say hello.")
        look = await started.until(lambda look: (d := look.activity.dialog) and d.id.startswith("new-model:"))
        assert look.activity.dialog is not None
        assert look.activity.dialog.options[0] == "Use existing model"
        await started.until_it_waits()
        seen = (await started.runtime.observe([started.session], [started.session.id]))[started.session.id]
        assert isinstance(seen, Seen)
        assert "GPT-5.5 default" in (seen.value.screen or "")

    async def test_its_commands_have_the_path_of_the_session(self, start: Start) -> None:
        started = await start(f"Ask. {says({'sh': 'printenv PATH > found.txt'}, {'say': 'Done.'})}")
        await started.until(lambda look: look.receipts and look.receipts[-1].stage is ReceiptStage.ANSWERED)
        found = await started.place.read(f"{started.session.workspace}/found.txt")
        assert found.decode().endswith(f":{started.session.environment['PATH']}\n")

    @pytest.mark.parametrize(
        ("status", "words", "trouble", "state"),
        [
            (401, "stub", Trouble.LOGIN, ActivityState.BLOCKED),
            (400, "Your input exceeds the context window of this model.", Trouble.CONTEXT, ActivityState.BLOCKED),
            (400, "You exceeded your current quota, see your billing details.", Trouble.CREDIT, ActivityState.BLOCKED),
            (400, "stub", Trouble.REFUSED, ActivityState.BLOCKED),
            (429, "stub", Trouble.RATE, ActivityState.LIMITED),
            (500, "stub", Trouble.OVERLOAD, ActivityState.LIMITED),
        ],
    )  # fmt: skip
    async def test_what_stops_it_is_told_apart(
        self, start: Start, status: int, words: str, trouble: Trouble, state: ActivityState
    ) -> None:
        await self.is_told_apart(start, status, words, trouble, state)

    async def test_killed_it_goes_on_in_its_conversation(self, start: Start, server: ModelServer) -> None:
        started = await start()
        # Its prompt may stand on the screen before its own signals name the conversation.
        look = await started.until(lambda look: look.activity.accepts_text and look.conversation)
        seen = (await started.runtime.observe([started.session]))[started.session.id]
        await started.place.run(["kill", "-9", str(seen.value.pid)])  # type: ignore[union-attr]
        await started.runtime.stop(started.session)
        again = await start(resume=True, conversation=look.conversation)
        await again.until_it_waits()
        await again.type(f"Go on. {says({'say': 'I go on.'})}")
        await again.until(lambda look: look.activity.state is ActivityState.IDLE and len(look.receipts) == 2)
        assert {line["conversation"] for line in server.played()} == {look.conversation}

    async def test_a_draft_of_a_person_is_seen_and_taken_away_only_when_asked(self, start: Start) -> None:
        started = await start()
        await started.until_it_waits()
        await started.runtime.send(started.session, Keys(keys=tuple("half")))
        await eventually(lambda: _draft(started), lambda draft: draft == "half", started.patience)
        clear = started.agent.clear()  # type: ignore[attr-defined]
        await started.runtime.send(started.session, clear)
        await eventually(lambda: _draft(started), lambda draft: not draft, started.patience)

    @pytest.mark.parametrize(
        ("verdict", "runs"), [(Verdict.ALLOW, True), (Verdict.ASK, False), (Verdict.DENY, False)]
    )
    async def test_rules_hold_before_a_call(
        self,
        agent: Agent,
        runtime: Runtime,
        session: SessionRef,
        server: ModelServer,
        verdict: Verdict,
        runs: bool,
    ) -> None:
        assert isinstance(agent, JudgesCalls)
        place = await runtime.place(session)
        await agent_folder.install(place)
        task = f"Run. {says({'sh': 'echo made > made.txt'}, {'say': 'Done.'})}"
        prepared = await agent.prepare(session, place, AgentTask(prompt=task, judged=frozenset({"Bash"})))
        await runtime.start(session, prepared.launch)

        async def asked() -> list[str]:
            return [
                entry.name for entry in await place.list(f"{place.folder}/outbox") if entry.name[0] != "."
            ]

        name = (await eventually(asked, bool, self.patience))[0]
        payload = (await place.read(f"{place.folder}/outbox/{name}")).decode().split("\0")[1]
        call = agent.tool_call(payload)
        assert call is not None
        assert (call.tool, call.argument, call.shell) == ("Bash", "echo made > made.txt", True)
        answer = f"0\n{agent.verdict(verdict, 'a rule says so')}\n"
        await place.write(f"{place.folder}/inbox/{name}", answer.encode())

        async def steps() -> list[int]:
            return [line["step"] for line in server.played()]

        await eventually(steps, lambda steps: 1 in steps, self.patience)
        assert [entry.name for entry in await place.list(session.workspace)] == (["made.txt"] if runs else [])


class TestLeave(RealAgentLeave, Codex):
    """With the person's own login, and leave asked of people."""

    permissions = "default"
    asks: ClassVar = _escalated("env > made.txt")

    @override
    @pytest.fixture
    def ours(self) -> dict[str, str]:
        return {}

    @pytest.fixture(autouse=True)
    def config(self, session: SessionRef, server: ModelServer) -> Path:
        """The person's own settings, which stand for their login."""
        file = Path(session.environment["HOME"], ".codex", "config.toml")
        file.parent.mkdir()
        file.write_text(
            'model_provider = "mine"\n[model_providers.mine]\nname = "mine"\nwire_api = "responses"\n'
            f'base_url = "{server.url}/v1"\nsupports_websockets = false\n'
        )
        return file

    @pytest.mark.parametrize(
        ("answer", "runs"), [("Allow once", True), ("Allow always", True), ("Deny", False)]
    )
    async def test_a_command_runs_only_with_leave(
        self, start: Start, answer: str, runs: bool, config: Path
    ) -> None:
        started, dialog = await self.runs_only_with_leave(start, answer, runs)
        assert "(May I?)" in dialog.text
        assert b"hooks" not in await started.place.read(str(config))

    async def test_while_a_person_thinks_it_goes_on_asking(self, start: Start) -> None:
        started = await start(f"Run. {says(_escalated('env > made.txt'), {'say': 'Done.'})}")
        await started.until(lambda look: look.activity.dialog and look.activity.dialog.call)
        look = await started.until(lambda look: time.time() - look.signal_at > 5)
        assert (look.activity.state, look.disagreement) == (ActivityState.PERMISSION, "")

    @pytest.mark.parametrize(("answer", "runs"), [("Allow once", True), ("Deny", False)])
    async def test_without_its_hook_leave_is_given_by_keys(
        self, start: Start, answer: str, runs: bool
    ) -> None:
        started = await start(f"Run. {says({**_escalated('env > made.txt'), 'delay': 3}, {'say': 'Done.'})}")
        await started.until(lambda look: look.activity.state is ActivityState.BUSY)
        await started.place.run(["rm", "-r", f"{started.place.folder}/agent/events"])
        look = await started.until(lambda look: look.activity.dialog and not look.activity.dialog.remember)
        assert look.activity.dialog is not None
        assert "$ env > made.txt" in look.activity.dialog.text
        await started.give(look.activity.dialog, answer)
        await started.until_it_waits()
        made = [entry.name for entry in await started.place.list(started.session.workspace)]
        assert made == (["made.txt"] if runs else [])

    @pytest.mark.parametrize(
        ("answer", "runs"), [("Continue without trusting them", False), ("Trust all and continue", True)]
    )
    async def test_hooks_of_the_repository_wait_for_a_person(
        self, start: Start, runtime: Runtime, session: SessionRef, answer: str, runs: bool
    ) -> None:
        hook = {"hooks": [{"type": "command", "command": f"touch {session.folder}/ran"}]}
        place = await runtime.place(session)
        hooks = json.dumps({"hooks": {"SessionStart": [hook]}})
        await place.write(f"{session.workspace}/.codex/hooks.json", hooks.encode())
        started = await start()
        look = await started.until(lambda look: look.activity.dialog and not look.activity.dialog.remember)
        assert look.activity.dialog is not None
        assert "1 hook " in look.activity.dialog.text
        await started.give(look.activity.dialog, answer)
        await started.until_it_waits()

        async def ran() -> bool:
            return "ran" in [entry.name for entry in await place.list(place.folder)]

        if runs:  # it does not wait for its hook before it takes text
            await eventually(ran, bool)
        assert await ran() is runs


async def _draft(started: Started) -> str:
    """What stands in the prompt, as it is looked at before something is typed."""
    seen = (await started.runtime.observe([started.session], [started.session.id]))[started.session.id]
    assert isinstance(seen, Seen)
    view = AgentView(session=started.session, place=started.place, runtime=seen.value)
    look = (await started.agent.observe([view]))[started.session.id]
    assert isinstance(look, Seen)
    return look.value.activity.draft


def _running(words: str) -> list[str]:
    """Processes with these words in their command line or environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            line, variables = ((folder / name).read_text(errors="replace") for name in ("cmdline", "environ"))
            found += [line] if words in line + variables and not line.startswith("tmux") else []
    return found
