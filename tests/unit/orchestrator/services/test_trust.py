"""What a person has trusted: digests, one a line, ended by an edit."""

from __future__ import annotations

import stat
from pathlib import Path

from orchestrator.services.trust import Trusted, trust_file
from orchestrator.settings.trust import file_digest
from orchestrator.storage.layout import Home


def test_trust_is_kept_once_and_ends_with_an_edit(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.prepare()
    trusted, file = Trusted(home), tmp_path / "config file.yaml"
    assert trusted.digests() == frozenset()
    file.write_text("one")
    for _ in range(2):
        trust_file(file, trusted)
    assert home.trusted.read_text().count("\n") == 1
    assert file_digest(file) in trusted.digests()
    assert stat.S_IMODE(home.trusted.stat().st_mode) == 0o600
    file.write_text("two")
    assert file_digest(file) not in trusted.digests()
    trust_file(file, trusted)
    assert len(Trusted(home).digests()) == 2


def test_blank_lines_are_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.prepare()
    home.trusted.write_text("\nabc /some/file\n\n")
    assert Trusted(home).digests() == frozenset({"abc"})
