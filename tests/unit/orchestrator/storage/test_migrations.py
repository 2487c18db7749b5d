"""Older forms are brought forward, newer ones refused."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.domain.ids import SessionId
from orchestrator.domain.session import Ending, Intent
from orchestrator.errors import NotReady
from orchestrator.storage.codec import SESSION, Form
from orchestrator.storage.documents import DocumentFile, Documents
from orchestrator.storage.faults import NoFaults
from orchestrator.storage.layout import Home
from orchestrator.storage.migrations import BUILT_IN, CURRENT, Document, Migrations, check_format
from tests.unit.orchestrator.storage.samples import PROJECT, session


def _rename_branch(document: Document) -> Document:
    rest = {key: value for key, value in document.items() if key != "git_branch"}
    return {**rest, "branch": document["git_branch"]}


def _drop_mood(document: Document) -> Document:
    return {key: value for key, value in document.items() if key != "mood"}


THIRD = Migrations(
    current={**CURRENT, "session": 3},
    steps={("session", 1): _rename_branch, ("session", 2): _drop_mood},
)
FORM = Form("session", SESSION.type, THIRD)


def _first_form() -> Document:
    document = SESSION.to_document(session())
    document["git_branch"] = document.pop("branch")
    return {**document, "mood": "good", "v": 1}


def test_each_step_is_taken_once_in_order() -> None:
    assert FORM.from_document(_first_form()) == session()


def test_today_s_form_is_left_as_it_is() -> None:
    document = FORM.to_document(session())
    assert document["v"] == 3
    assert THIRD.upgrade("session", document) is document


def test_a_newer_form_is_refused_and_not_called_damage() -> None:
    newer = CURRENT["session"] + 1
    with pytest.raises(NotReady, match=f"version {newer}"):
        BUILT_IN.upgrade("session", {"v": newer})


@pytest.mark.parametrize(("reported", "done"), [("done", True), ("half way", False), ("", False)])
def test_report_of_the_first_form_says_apart_that_it_is_done(reported: str, done: bool) -> None:
    today = session()
    first = SESSION.to_document(replace(today, work=replace(today.work, reported=reported)))
    del first["work"]["reported_done"]
    work = SESSION.from_document({**first, "v": 1}).work
    assert (work.reported, work.reported_done) == (reported, done)


def test_merge_of_the_first_form_may_have_begun() -> None:
    merge, answer = (
        Intent(key="merge", at=1.0, data={"head": "a", "by": "bo"}),
        Intent(key="answer:q1", at=2.0),
    )
    first = SESSION.to_document(replace(session(), intents=(merge, answer)))
    begun = replace(merge, data={**merge.data, "begun": "yes"})
    assert SESSION.from_document({**first, "v": 1}).intents == (begun, answer)


@pytest.mark.parametrize(
    "damage", [{}, {"work": None}, {"work": {}, "intents": 3}, {"work": {}, "intents": [{}]}]
)
def test_older_document_that_misses_what_it_must_have_is_damage(damage: Document) -> None:
    with pytest.raises(ValueError, match="no document of version 1"):
        BUILT_IN.upgrade("session", {**damage, "v": 1})


def test_a_form_that_nothing_leads_on_from_is_damage() -> None:
    with pytest.raises(ValueError, match="version 0"):
        THIRD.upgrade("session", {"v": 0})


def test_session_of_the_first_version_is_read_without_what_is_no_longer_kept() -> None:
    document = SESSION.to_document(session(ending=Ending(reason="busy", tries=2)))
    setup = {**document["setup"], "tries": 0}
    ending = {**document["ending"], "retry_at": 5.0}
    first = {**document, "v": 1, "setup": setup, "ending": ending}
    assert SESSION.from_document(first) == session(ending=Ending(reason="busy", tries=2))


@pytest.mark.parametrize("broken", [{}, {"setup": "x", "ending": None}])
def test_damaged_session_of_the_first_version_is_damage(broken: Document) -> None:
    with pytest.raises(ValueError, match="no document of version 1"):
        SESSION.from_document({"v": 1, **broken})


async def test_the_original_is_kept_once_beside(tmp_path: Path) -> None:
    home = Home(tmp_path)
    file = DocumentFile(home.project(PROJECT).session(SessionId("demo-1")).document, NoFaults())
    await asyncio.to_thread(file.write, _first_form())
    original = file.path.read_bytes()
    documents = Documents(home, NoFaults(), FORM)
    loaded = await documents.load_all()
    assert loaded.sessions == (session(),)
    kept = file.path.with_name("session.json.v1")
    assert kept.read_bytes() == original
    await documents.write(session(branch="other"))
    assert (await asyncio.to_thread(file.read))["v"] == 3
    await asyncio.to_thread(file.write, {**_first_form(), "mood": "bad"})
    await documents.load_all()
    assert kept.read_bytes() == original
    await documents.close()


async def test_a_newer_document_stops_the_start_and_nothing_is_moved(tmp_path: Path) -> None:
    home = Home(tmp_path)
    folder = home.project(PROJECT)
    broken = folder.session(SessionId("demo-1")).document
    broken.parent.mkdir(parents=True)
    broken.write_text("{")
    newer = DocumentFile(folder.session(SessionId("demo-2")).document, NoFaults())
    await asyncio.to_thread(newer.write, {"v": 99})
    documents = Documents(home, NoFaults())
    with pytest.raises(NotReady, match="99"):
        await documents.load_all()
    assert broken.read_text() == "{"
    await documents.close()


def test_a_new_home_gets_a_version_and_a_newer_one_is_refused(tmp_path: Path) -> None:
    home = Home(tmp_path)
    check_format(home, NoFaults())
    assert home.format.read_text() == "1\n"
    check_format(home, NoFaults())
    home.format.write_text("2\n")
    with pytest.raises(NotReady, match="'2'"):
        check_format(home, NoFaults())
    assert home.format.read_text() == "2\n"
    home.format.write_bytes(b"\xff")
    with pytest.raises(NotReady, match="cannot be read"):
        check_format(home, NoFaults())
