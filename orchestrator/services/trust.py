"""What in the configuration runs code or gives rights, and whether a person has trusted that file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from orchestrator.errors import AoError
from orchestrator.registry import Registry
from orchestrator.settings.effective import Settings
from orchestrator.settings.plugin_check import code_options
from orchestrator.settings.plugin_choice import External
from orchestrator.settings.project_edit import write_atomically
from orchestrator.settings.trust import Reason, file_digest, needs_trust, untrusted
from orchestrator.storage.layout import Home


class Trusted:
    """The digests of files that a person has trusted, one a line in `$AO_HOME/trusted`."""

    def __init__(self, home: Home) -> None:
        self._path = home.trusted

    def digests(self) -> frozenset[str]:
        """What is trusted now."""
        if not self._path.exists():
            return frozenset()
        rows = self._path.read_text(encoding="utf-8").splitlines()
        return frozenset(row.split()[0] for row in rows if row.split())

    def add(self, digest: str, path: Path) -> None:
        """Trust a file as it is now. Repeatable; an edit of the file ends it."""
        if digest in self.digests():
            return
        before = self._path.read_text(encoding="utf-8") if self._path.exists() else ""
        write_atomically(self._path, f"{before}{digest} {path}\n")


def load_externals(
    settings: Settings, registry: Registry, trusted: Trusted
) -> Sequence[tuple[External, AoError]]:
    """Load the plugins from outside that the configuration names; files only once they are trusted.

    Repeatable. Returns those that do not load, with the reason.
    """
    digests, failed = trusted.digests(), []
    for external in settings.externals:
        try:
            if external.path is None:
                registry.add_entry_point(external.name)
            elif file_digest(external.path) in digests:
                registry.add_file(external.path)
        except AoError as error:
            failed.append((external, error))
    return failed


def missing(settings: Settings, registry: Registry, trusted: Trusted) -> Sequence[Reason]:
    """Everything that nobody has trusted yet."""
    # Plugins say which of their options are run. What does not load runs nothing; the check names it.
    load_externals(settings, registry, trusted)
    return untrusted(needs_trust(settings, code_options(registry)), trusted.digests())


def trust(settings: Settings, registry: Registry, trusted: Trusted) -> Sequence[Reason]:
    """Trust every file of the configuration as it is now; returns what that newly allows."""
    found = missing(settings, registry, trusted)
    for reason in found:
        trusted.add(reason.digest, reason.file)
    return found


def trust_file(path: Path, trusted: Trusted) -> None:
    """Trust a file that a person just made through `ao`."""
    trusted.add(file_digest(path), path)


def words(reasons: Sequence[Reason]) -> list[str]:
    """What is asked of the person, one line each: file, line, what, and the value itself."""
    return [f"{r.file}:{r.line} {r.path}: {r.what}: {r.text}" for r in reasons]
