"""Conversations: one small file for each session and surface, in the session's folder, live or ended.

Kept apart from the session's document: moving a position in one file of a thousand sessions took 20 ms.
"""

from __future__ import annotations

import logging

from orchestrator.domain.conversation import Conversation
from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.storage.codec import Form
from orchestrator.storage.documents import DocumentFile
from orchestrator.storage.faults import Faults
from orchestrator.storage.lanes import Lanes
from orchestrator.storage.layout import Home, SessionFolder

log = logging.getLogger(__name__)
CONVERSATION = Form("conversation", Conversation)


class ConversationFiles:
    """Reads and writes them, in the order of the session's own document."""

    def __init__(self, home: Home, faults: Faults, lanes: Lanes) -> None:
        self._home = home
        self._faults = faults
        self._lanes = lanes

    async def read(self, project: ProjectId, session: SessionId, surface: str) -> Conversation:
        """What is kept; a new one where nothing is. A damaged file is set aside, and told in the log."""
        return await self._lanes.run(session, self._read, project, session, surface)

    async def write(
        self, project: ProjectId, session: SessionId, surface: str, conversation: Conversation
    ) -> None:
        """Keep it. Raises `TemporaryError`; what was kept before is then intact."""
        document = CONVERSATION.to_document(conversation)
        await self._lanes.run(session, self._write, project, session, surface, document)

    def _read(self, project: ProjectId, session: SessionId, surface: str) -> Conversation:
        file = self._file(project, session, surface)
        try:
            return CONVERSATION.from_document(file.read())
        except FileNotFoundError:
            return Conversation()
        except ValueError as error:
            told = file.set_aside(str(error))
            log.warning("a damaged file was set aside: %s", told, extra={"session": session})
            return Conversation()

    def _write(
        self, project: ProjectId, session: SessionId, surface: str, document: dict[str, object]
    ) -> None:
        self._file(project, session, surface).write(document)

    def _file(self, project: ProjectId, session: SessionId, surface: str) -> DocumentFile:
        folder = self._home.project(project)
        live: SessionFolder = folder.session(session)
        found = live if live.path.is_dir() else folder.ended_session(session)
        return DocumentFile(found.conversation(surface), self._faults)
