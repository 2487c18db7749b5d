"""What the composition root tells the fleet of the machine that it runs on."""

from __future__ import annotations

from bot.app import own_programs


def test_only_a_virtual_environment_of_our_own_is_kept_from_sessions() -> None:
    assert own_programs("/opt/ao", "/usr") == ("/opt/ao",)
    assert own_programs("/usr", "/usr") == ()
