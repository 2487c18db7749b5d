"""What every chat front end is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.chat.access import Access
from bot.chat.desk import Desk
from bot.frontends.dispatch import Dispatch

if TYPE_CHECKING:
    from orchestrator.services.core import Core


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """One for all surfaces."""

    core: Core
    dispatch: Dispatch
    desk: Desk
    access: Access


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """A surface in numbers."""

    surface: str
    behind: int
    """Conversations that are behind."""
    calls: int
    """Calls of the surface that were made since the start."""
