"""What machines that watch over ours are told of webhooks."""

from __future__ import annotations

from orchestrator.domain.ids import ProjectId
from orchestrator.services.hook_news import HookNews, Outcome
from tests.unit.bot.frontends.api.http import ask
from tests.unit.bot.frontends.api.served import Served


async def test_deliveries_are_counted_by_event_and_outcome(served: Served) -> None:
    news = served.house.core.hooks
    news.count(Outcome.TAKEN, "push")
    news.count(Outcome.TAKEN, "push")
    news.count(Outcome.FORGED)
    found = (await ask(await served.start(), "/metrics")).content.decode()
    assert 'ao_webhook_deliveries_total{event="push",outcome="taken"} 2.0' in found
    assert 'ao_webhook_deliveries_total{event="-",outcome="forged"} 1.0' in found


async def test_where_nobody_listens_for_webhooks_nothing_is_told_of_them(served: Served) -> None:
    assert (await ask(await served.start(), "/healthz")).data["webhooks"] == {}


def test_how_long_nothing_came_is_said() -> None:
    news, project = HookNews(), ProjectId("demo")
    assert news.row(project, 0.0) == "no delivery yet: polling covers"
    news.took(project, "push", 0.0)
    assert "the last delivery (push) came at" in news.row(project, 3600.0)
    told = {seconds: news.row(project, seconds) for seconds in (3660.0, 7200.0, 3 * 86400.0)}
    assert [words.partition(":")[0] for words in told.values()] == [
        "no delivery for 61 min",
        "no delivery for 2 h",
        "no delivery for 3 d",
    ]
