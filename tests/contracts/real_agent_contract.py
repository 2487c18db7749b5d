"""What the real agent programs promise alike, in a real tmux against a model server of ours."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from typing_extensions import override

from orchestrator.domain.activity import Activity, ActivityState, Dialog, ReceiptStage, Trouble
from orchestrator.ports.runtime import Runtime
from orchestrator.testing.contracts.agent import SignallingAgentContract, Start, Started
from tests.contracts import real_agents
from tests.contracts.real_agents import ModelServer, says
from tests.contracts.real_tmux import tmux_runtime


def _holding(folder: Path, text: bytes) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and text in path.read_bytes()]


class RealAgent(SignallingAgentContract):
    """What it takes to run one."""

    long_task = f"Wait long. {says(real_agents.wait())}"
    permissions = "permissionless"
    patience = 60.0

    @pytest.fixture
    def server(self, tmp_path: Path) -> Iterator[ModelServer]:
        with real_agents.model_server(tmp_path) as server:
            yield server

    @override
    @pytest.fixture
    def runtime(self, tmp_path: Path) -> Iterator[Runtime]:
        with tmux_runtime(tmp_path) as runtime:
            yield runtime


class RealAgentPromise(RealAgent):
    """What holds for each, with no leave to be asked."""

    async def test_the_workspace_stays_clean(self, start: Start) -> None:
        started = await start()
        await started.until_it_waits()
        assert await started.place.list(started.session.workspace) == ()

    async def test_no_file_holds_the_key_to_the_model(self, start: Start, tmp_path: Path) -> None:
        started = await start()
        await started.until_it_waits()
        key = real_agents.KEY.encode()
        assert await asyncio.to_thread(_holding, tmp_path / "home", key) == []
        await started.runtime.stop(started.session)
        assert await asyncio.to_thread(_holding, tmp_path / "home", key) == []

    async def is_told_apart(
        self, start: Start, status: int, words: str, trouble: Trouble, state: ActivityState
    ) -> None:
        """A refusal of the model server is known for what it is, and the agent goes on after it."""
        started = await start(f"Fail. {says({'status': status, 'error': words})}")
        look = await started.until(lambda look: look.activity.trouble)
        activity: Activity = (await started.until(lambda look: look.activity.accepts_text)).activity
        assert (activity.trouble, activity.state) == (trouble, state)
        assert look.activity.evidence
        # And it goes on when it is told to.
        await started.type(f"Again. {says({'say': 'Fine now.'})}")
        await started.until(lambda look: look.activity.state is ActivityState.IDLE)

    async def test_no_network_is_told_apart(self, start: Start) -> None:
        started = await start()
        await started.until_it_waits()
        await started.type(f"Drop. {says({'hang': 1})}")
        look = await started.until(lambda look: look.activity.trouble)
        assert look.activity.trouble is Trouble.NETWORK

    async def test_large_texts_come_through(self, start: Start) -> None:
        started = await start()
        await started.until_it_waits()
        text = "\n".join(f'Line {n}: `$HOME` "quoted" ünïcode' for n in range(2500))
        await started.type(f"{text}\n{says({'say': 'Read.'})}")
        await started.until(lambda look: len(look.receipts) == 2 and look.activity.accepts_text)


class RealAgentLeave(RealAgent):
    """Leave is asked of people."""

    long_task = f"Wait long. {says({'drip': 3, 'say': 'word ' * 2000})}"
    asks: ClassVar[dict[str, Any]]
    """The step of a plan in which it asks for leave to run `env > made.txt`."""

    async def runs_only_with_leave(self, start: Start, answer: str, runs: bool) -> tuple[Started, Dialog]:
        """It asks, is answered, and did or did not run its command. Returns it, and what it asked."""
        started = await start(f"Run. {says(self.asks, {'say': 'Done.'})}")
        look = await started.until(lambda look: look.activity.dialog and look.activity.dialog.call)
        dialog = look.activity.dialog
        assert look.activity.state is ActivityState.PERMISSION
        assert dialog is not None
        assert dialog.call is not None
        assert (dialog.call.tool, dialog.call.argument, dialog.call.shell) == ("Bash", "env > made.txt", True)
        assert not look.activity.accepts_text
        await started.give(dialog, answer)
        # Its turn with the task is over; a prompt that waits may be one of before.
        await started.until(
            lambda look: (
                look.activity.accepts_text
                and look.receipts
                and look.receipts[-1].stage in {ReceiptStage.ANSWERED, ReceiptStage.INTERRUPTED}
            )
        )
        made = [entry.name for entry in await started.place.list(started.session.workspace)]
        assert made == (["made.txt"] if runs else [])
        return started, dialog

    async def test_a_no_with_its_reason_reaches_it(self, start: Start) -> None:
        started = await start(f"Run. {says(self.asks, {'say': 'I see.'})}")
        look = await started.until(lambda look: look.activity.dialog and look.activity.dialog.call)
        assert look.activity.dialog is not None
        await started.give(look.activity.dialog, 'Deny: use the "other" one')
        await started.until_it_waits()
        await started.shows('use the "other" one')
