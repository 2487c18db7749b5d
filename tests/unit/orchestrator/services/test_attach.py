"""What opens a session's terminal: a command, and the console's page while one listens."""

from __future__ import annotations

from orchestrator.services.attach import attach
from orchestrator.testing.ring import Ring


async def test_the_command_and_the_page_of_a_terminal(ring: Ring) -> None:
    one = await ring.spawn()
    assert (await attach(ring.core, one)).link == ""
    ring.core.door.address = "http://127.0.0.1:8410"
    what = await attach(ring.core, one)
    assert what.command == ("attach-to", "demo-1")
    assert what.link == "http://127.0.0.1:8410/sessions/demo-1/terminal"
