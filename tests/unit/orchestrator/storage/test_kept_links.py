"""Where we keep what lets us act as people: readable by us alone, and by nobody through a name."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from orchestrator.errors import BadInput, TemporaryError
from orchestrator.ports.scm import Credential
from orchestrator.storage.kept_links import OWNER, KeptLinks

ANA = Credential(login="ana-gh", token="t1", expires_at=5.0, renewal="r1")  # noqa: S106


async def _opened(folder: Path) -> KeptLinks:
    links = KeptLinks(folder)
    await links.open()
    return links


async def test_what_is_kept_is_found_again_by_the_next_process(tmp_path: Path) -> None:
    first = await _opened(tmp_path / "links")
    await first.put("Ana", "github.com", ANA)
    await first.put("ana", "ghe.example:8443", ANA)
    await first.put(OWNER, "github.com", ANA)
    await first.close()
    again = await _opened(tmp_path / "links")
    assert await again.get("ana", "github.com") == ANA
    assert again.hosts("ANA") == ("ghe.example:8443", "github.com")
    assert again.logins("github.com") == {"ana-gh"}
    assert again.logins("other.example") == frozenset()
    assert again.people() == {"ana", OWNER}
    assert await again.get("bo", "github.com") is None
    await again.close()


async def test_only_we_can_read_it(tmp_path: Path) -> None:
    links = await _opened(tmp_path / "links")
    await links.put("ana", "github.com", ANA)
    for path, mode in (
        (tmp_path / "links" / "ana" / "github.com.json", 0o600),
        (tmp_path / "links" / "ana", 0o700),
        (tmp_path / "links", 0o700),
    ):
        assert stat.S_IMODE(path.stat().st_mode) == mode
    await links.close()


async def test_what_is_dropped_is_gone(tmp_path: Path) -> None:
    links = await _opened(tmp_path / "links")
    await links.put("ana", "github.com", ANA)
    assert await links.drop("ANA", "github.com")
    assert not await links.drop("ana", "github.com")
    assert await links.get("ana", "github.com") is None
    assert links.logins("github.com") == frozenset()
    assert list((tmp_path / "links" / "ana").iterdir()) == []
    await links.close()


@pytest.mark.parametrize(
    ("person", "host"),
    [("..", "github.com"), ("a/b", "github.com"), ("ana", "../x"), ("ana", ".hidden"), ("", "github.com")],
)
async def test_no_name_leads_elsewhere(tmp_path: Path, person: str, host: str) -> None:
    links = await _opened(tmp_path / "links")
    with pytest.raises(BadInput):
        await links.put(person, host, ANA)
    assert await links.get(person, host) is None
    assert not await links.drop(person, host)
    assert not (tmp_path / "links").exists()
    await links.close()


@pytest.mark.parametrize("text", ["", "[]", '{"v": 1}', '{"v": 2, "login": "x"}', "secret-in-a-broken-file"])
async def test_a_broken_file_links_nobody_and_is_not_quoted(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    links = await _opened(tmp_path / "links")
    await links.put("ana", "github.com", ANA)
    (tmp_path / "links" / "ana" / "github.com.json").write_text(text)
    assert await links.get("ana", "github.com") is None
    assert "ana/github.com.json" in caplog.text
    assert "secret-in-a-broken-file" not in caplog.text
    await links.close()


async def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    links = await _opened(tmp_path / "links")
    await links.put("ana", "github.com", ANA)
    path = tmp_path / "links" / "ana" / "github.com.json"
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert await links.get("ana", "github.com") is None
    await links.close()


async def test_a_disk_that_refuses_leaves_the_old_one(tmp_path: Path) -> None:
    links = await _opened(tmp_path / "links")
    await links.put("ana", "github.com", ANA)
    blocked = tmp_path / "links" / "bo"
    blocked.write_text("a file where the folder should be")
    with pytest.raises(TemporaryError):
        await links.put("bo", "github.com", ANA)
    assert json.loads((tmp_path / "links" / "ana" / "github.com.json").read_text())["login"] == "ana-gh"
    assert links.hosts("bo") == ()
    await links.close()
