"""Tells once when an agent's account is in trouble, however many sessions are held up by it."""

from __future__ import annotations

from typing import Any

from orchestrator.domain.activity import FLEET_TROUBLES, ActivityState
from orchestrator.domain.event import Event, Level
from orchestrator.domain.session import Session
from orchestrator.lifecycle.announcer import Positions
from orchestrator.lifecycle.fleet import Fleet

KEY = "account_troubles"
"""By agent and trouble: when it was first seen (epoch seconds)."""
_STEPS = {
    "login lost": "Log in again in a terminal of your own (run the agent's program once)",
    "out of credit": "Add credit to the account",
}


class Accounts:
    """Looked at after every round. What was told is kept, so that a restart tells it neither twice nor never."""

    def __init__(self, fleet: Fleet, kept: Positions) -> None:
        self._fleet = fleet
        self._kept = kept

    async def look(self) -> None:
        """Tell of new troubles; forget those that are over."""
        known: dict[str, float] = dict(self._kept.get(KEY, {}))
        held = self._held()
        after: dict[str, Any] = {key: at for key, at in known.items() if key in held}
        for key in held.keys() - known.keys():
            after[key] = self._fleet.now
            await self._fleet.tell_once(self._event(key, held[key], after[key]))
        if after != known:
            await self._kept.set(KEY, after)

    def _held(self) -> dict[str, list[Session]]:
        """Sessions that cannot go on, by agent and trouble."""
        found: dict[str, list[Session]] = {}
        for session in self._fleet.all():
            activity = session.work.activity
            if activity.state is ActivityState.BLOCKED and activity.trouble in FLEET_TROUBLES:
                found.setdefault(f"{session.parts.agent}: {activity.trouble.value}", []).append(session)
        return found

    @staticmethod
    def _event(key: str, held: list[Session], at: float) -> Event:
        agent, _, trouble = key.partition(": ")
        sessions = ", ".join(session.id for session in held)
        step = _STEPS.get(trouble, "Look at the agent's account")
        return Event(
            id=f"account:{key}:{int(1000 * at)}",
            type="agent.account",
            at=at,
            project=held[0].project,
            text=f"{agent}: {trouble}; {sessions} cannot go on. {step}, then tell each to go on "
            f"(`ao send ID go on`).",
            level=Level.URGENT,
            data={"agent": agent, "trouble": trouble, "sessions": sessions},
        )
