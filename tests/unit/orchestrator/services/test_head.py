"""The head that a person saw must be the head that is."""

from __future__ import annotations

import pytest

from orchestrator.domain.pull_request import PullRequestState
from orchestrator.errors import AoError, BadInput, Conflict, NotFound
from orchestrator.services.head import open_change
from orchestrator.testing import examples as ex

OPEN = ex.session(changes=(ex.change(),))


@pytest.mark.parametrize("head", [ex.HEAD, ex.HEAD[:7], ex.HEAD[:12].upper()])
def test_the_head_or_enough_of_it(head: str) -> None:
    assert open_change(OPEN, head) == OPEN.change


@pytest.mark.parametrize(
    ("head", "error"),
    [
        (ex.HEAD[:6], BadInput),
        ("", BadInput),
        ("main branch", BadInput),
        (f"{ex.HEAD[:8]}-", BadInput),
        (ex.OTHER_HEAD, Conflict),
        (f"{ex.HEAD}a", Conflict),
    ],
)
def test_anything_else_is_refused(head: str, error: type[AoError]) -> None:
    with pytest.raises(error):
        open_change(OPEN, head)


@pytest.mark.parametrize("state", [PullRequestState.MERGED, PullRequestState.CLOSED])
def test_closed_pull_request_is_a_conflict_that_says_so(state: PullRequestState) -> None:
    with pytest.raises(Conflict, match=f"{state.value} already"):
        open_change(ex.session(changes=(ex.change(ex.pull_request(state=state)),)), ex.HEAD)


def test_no_pull_request() -> None:
    with pytest.raises(NotFound):
        open_change(ex.session(), ex.HEAD)
