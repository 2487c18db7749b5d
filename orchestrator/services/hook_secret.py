"""The secret with which forges sign their deliveries, where no variable holds one: made here, kept 0600."""

from __future__ import annotations

import secrets

from orchestrator import disk
from orchestrator.domain.ids import ProjectId
from orchestrator.errors import NotReady
from orchestrator.services.core import Core
from orchestrator.storage.damage import write_failed
from orchestrator.storage.durable import read_file
from orchestrator.storage.layout import Home

FILE = "webhook-secret"
_BYTES = 32


def read(home: Home) -> tuple[str, ...]:
    """Those that were made, newest first; none where there is no file. Blocking. Raises `NotReady`."""
    path = home.path / FILE
    try:
        content = read_file(path)
    except FileNotFoundError:
        return ()
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror or error}."
        raise NotReady(msg, next_step="Make it readable for you alone, or remove it.") from error
    return tuple(line for line in content.decode(errors="replace").split() if line)


def make(home: Home, *, rotate: bool = False) -> tuple[str, ...]:
    """See that there is one; `rotate`: a new one, beside which the one before it still counts. Blocking.

    Raises `NotReady`, `TemporaryError`.
    """
    kept = read(home)
    if kept and not rotate:
        return kept
    kept = (secrets.token_urlsafe(_BYTES), *kept[:1])
    path = home.path / FILE
    try:
        disk.replace(path, "".join(f"{one}\n" for one in kept).encode())
    except OSError as error:
        raise write_failed(path, error) from error
    return kept


def of_project(core: Core, project: ProjectId) -> tuple[str, ...]:
    """Those that may have signed a delivery for this project, the one for new hooks first; none: nothing counts."""
    settings = core.settings.now
    keys, block = settings.keys(project), settings.config.webhooks
    own = keys.scm.webhook.secret_env_var if keys.scm and keys.scm.webhook else None
    if own:
        return tuple(filter(None, [core.settings.env.get(own, "").strip()]))
    named = block.variables if block else ()
    found = [core.settings.env.get(name, "").strip() for name in named]
    return tuple(filter(None, [*found, *core.hooks.secrets]))
