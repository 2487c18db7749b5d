"""The browser view: everything escaped, nothing from elsewhere, and only for pages of its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.demo.slack_html import markdown, mrkdwn, tag
from bot.demo.slack_workspace import ADA, BO, DEMO
from tests.unit.bot.demo.slack_rig import Slack, slack_rig


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    async with slack_rig() as made:
        yield made


async def _get(slack: Slack, path: str, **headers: str) -> tuple[int, str, Any]:
    async with slack.session.get(slack.fake.address(path), headers=headers) as response:
        return response.status, await response.text(), response.headers


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("*a* _b_ ~c~ `<d>`".replace("<", "&lt;").replace(">", "&gt;"),
         "<strong>a</strong> <em>b</em> <s>c</s> <code>&lt;d&gt;</code>"),
        ("<@U1> <#C1|room>", '<span class="mention">@U1!</span> <span class="mention">#room</span>'),
        ("since <!date^1800000000^{date_short_pretty} {time}|then>", "since 15 Jan 2027 08:00"),
        ("<!date^never^{time}|then>", "then"),
        ("<!channel>", '<span class="mention loud">@channel</span>'),
        ("<https://a.b/?x=1&amp;y|go>",
         '<a href="https://a.b/?x=1&amp;y" rel="noopener noreferrer" target="_blank">go</a>'),
        ("<javascript:alert(1)|click>", "click"),
        ("&lt;script&gt; &amp;amp; \"q\"", "&lt;script&gt; &amp;amp; &quot;q&quot;"),
        (":eyes: :nothing:", "👀 :nothing:"),
    ],
)  # fmt: skip
def test_slacks_own_markup(text: str, drawn: str) -> None:
    assert mrkdwn(text, lambda key: f"{key}!") == f'<div class="line">{drawn}</div>'


def test_fences_and_quotes() -> None:
    drawn = mrkdwn("&gt; said\n```\n*no* &lt;b&gt;\n```", str)
    assert drawn == "<blockquote>said</blockquote><pre><code>*no* &lt;b&gt;\n</code></pre>"


def test_real_markdown() -> None:
    text = "## Head\n- **one** `<x>`\n> said\n| a | b |\n|---|---|\n[ok](https://a.b) [bad](javascript:x) <!here>"
    assert markdown(text, str) == (
        '<div class="heading h2">Head</div>'
        '<div class="item"><strong>one</strong> <code>&lt;x&gt;</code></div>'
        "<blockquote>said</blockquote>"
        '<div class="row"><span class="cell">a</span><span class="cell">b</span></div>'
        '<div class="line"><a href="https://a.b" rel="noopener noreferrer" target="_blank">ok</a> bad '
        '<span class="mention loud">@here</span></div>'
    )


def test_attributes_are_escaped_too() -> None:
    assert (
        tag("b", "<", title='"><i>', hidden=True, lang=None)
        == '<b title="&quot;&gt;&lt;i&gt;" hidden>&lt;</b>'
    )


HOSTILE = '</article><script>alert(1)</script>" onclick="x'


async def test_hostile_text_is_shown_as_text_wherever_it_stands(slack: Slack) -> None:
    button = {
        "type": "button",
        "action_id": HOSTILE,
        "text": {"type": "plain_text", "text": HOSTILE},
        "confirm": {name: {"type": "plain_text", "text": HOSTILE[:30]} for name in ("title", "text")},
    }
    words = {"type": "plain_text", "text": HOSTILE}
    blocks = [
        {"type": "header", "text": words},
        {"type": "section", "text": words, "fields": [words], "accessory": {**button, "action_id": "b"}},
        {"type": "context", "elements": [words]},
        {"type": "actions", "elements": [button]},
        {"type": "markdown", "text": HOSTILE},
    ]
    ts = (await slack.ok("chat.postMessage", channel=DEMO, text=HOSTILE, blocks=blocks))["ts"]
    await slack.world.person(ADA).reply(DEMO, ts, HOSTILE)
    _status, page, headers = await _get(slack, f"?thread={ts}")
    assert "<script>alert" not in page
    assert 'onclick="x' not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 8
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
    assert "Fake Slack (for the demo)" in page


async def test_each_person_sees_their_own(slack: Slack) -> None:
    await slack.ok("chat.postEphemeral", channel=DEMO, user=ADA, text="for Ada alone")
    assert "for Ada alone" in (await _get(slack, f"?you={ADA}"))[1]
    assert "for Ada alone" not in (await _get(slack, f"?you={BO}"))[1]
    assert "Cy (a stranger)" in (await _get(slack, ""))[1]


async def test_the_parts_come_once_something_changed(slack: Slack) -> None:
    ts = await slack.world.person(ADA).say(DEMO, "one")
    await slack.ok("reactions.add", channel=DEMO, timestamp=ts, name="eyes")
    version = json.loads((await _get(slack, "view"))[1])["version"]
    await slack.world.person(BO).reply(DEMO, ts, "two")
    parts = json.loads((await _get(slack, f"view?after={version}&thread={ts}"))[1])
    assert parts["version"] > version
    assert [len(parts[name]) for name in ("messages", "thread")] == [1, 2]
    assert "1 reply" in parts["messages"][0][1]
    assert "👀 1" in parts["messages"][0][1]
    assert parts["sockets"] == "ao is not connected"


async def test_modals_and_the_home_tab_are_drawn(slack: Slack) -> None:
    element = {"type": "plain_text_input", "action_id": "a", "multiline": True}
    field = {
        "type": "input",
        "block_id": "f",
        "label": {"type": "plain_text", "text": "Task"},
        "element": element,
    }
    title = {"type": "plain_text", "text": "Start"}
    form = {"type": "modal", "title": title, "submit": title, "blocks": [field]}
    await slack.ok("views.open", trigger_id=slack.fake.people._triggers.new(ADA), view=form)
    parts = json.loads((await _get(slack, "view"))[1])
    assert '<textarea name="f" rows="5"></textarea>' in parts["modal"]
    home = {
        "type": "home",
        "blocks": [{"type": "header", "text": {"type": "plain_text", "text": "Waits for you"}}],
    }
    await slack.ok("views.publish", user_id=ADA, view=home)
    assert "Waits for you" in (await _get(slack, "?channel=home"))[1]


@pytest.mark.parametrize("name", ["slack.js", "slack.css"])
async def test_script_and_style_are_its_own_and_fetch_nothing(slack: Slack, name: str) -> None:
    status, text, _headers = await _get(slack, name)
    assert status == 200
    assert "http://" not in text
    assert "https://" not in text


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}])
async def test_pages_from_elsewhere_are_refused(slack: Slack, headers: dict[str, str]) -> None:
    assert (await _get(slack, "", **headers))[0] == 403
    async with slack.session.post(slack.fake.address("control/cut"), json={}, headers=headers) as response:
        assert response.status == 403
    async with slack.session.post(slack.fake.address("control/cut"), data="{}") as response:
        assert response.status == 415
