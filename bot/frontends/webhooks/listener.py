"""Listens for the deliveries of forges' webhooks, on an address of its own."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from bot.frontends.api.connection import QuietServer, TcpProtocol, cannot_listen, listen_tcp
from bot.frontends.webhooks.door import Door
from orchestrator.services.webhooks import Receiver
from orchestrator.storage.deliveries import Deliveries

if TYPE_CHECKING:
    from orchestrator.services.core import Core
    from orchestrator.settings.effective import Settings
    from orchestrator.settings.webhooks_model import Webhooks

log = logging.getLogger(__name__)


class WebhookListener:
    """Made by `configured`; paths, secrets and sizes follow the newest configuration, the address does not."""

    def __init__(self, core: Core, block: Webhooks, host: str, port: int) -> None:
        self._core = core
        self._block = block
        self._host = host
        self._wanted_port = port
        self.port = 0
        """Where it listens, once it does; 0 before."""
        self._receiver: Receiver | None = None
        self._server: QuietServer | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def lines(self) -> list[str]:
        """What whoever starts it should know, a line each."""
        public = f"{self._block.public_url}{self._block.path}" if self._block.public_url else ""
        hint = (
            "" if public else "; set `webhooks.publicUrl` so that `ao github webhook install` can make hooks"
        )
        return [f"Webhooks are received on {self._core.hooks.address}{f' for {public}' if public else hint}."]

    async def start(self) -> None:
        """Listen. Raises `Conflict` where the port is taken, `NotReady` where the address cannot be had."""
        core = self._core
        try:
            listening = listen_tcp(self._host, self._wanted_port, or_free=False)
        except OSError as error:
            raise cannot_listen(self._host, self._wanted_port, error, "webhooks.listen") from error
        self._receiver = Receiver(core, Deliveries(core.home.path, core.store.faults))
        try:
            await self._receiver.open()
        except BaseException:
            listening.close()
            raise
        self.port = int(listening.getsockname()[1])
        self._server = QuietServer(Door(self._receiver, core.hooks, core.clock.monotonic), TcpProtocol)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listening]), name="webhooks")
        await self._server.until_up(self._serving)
        host = f"[{self._host}]" if ":" in self._host else self._host
        core.hooks.address = f"http://{host}:{self.port}{self._block.path}"

    async def stop(self) -> None:
        """Stop listening; what was acknowledged is kept. Repeatable, also before `start`."""
        server, serving, receiver = self._server, self._serving, self._receiver
        self._server = self._serving = self._receiver = None
        self._core.hooks.address = ""
        if server is not None and serving is not None:
            server.leave()
            await serving
        if receiver is not None:
            await receiver.close()


def configured(core: Core) -> WebhookListener | None:
    """The listener that the configuration asks for; None where there is none."""
    block = core.settings.now.config.webhooks
    address = block.address if block is not None else None

    def changed(now: Settings) -> None:
        then = now.config.webhooks
        if (then.address if then is not None else None) != address:
            log.warning("where webhooks are received has changed: that counts from the next `ao start` on")

    core.settings.on_change(changed)
    if block is None or address is None:
        return None
    return WebhookListener(core, block, *address)
