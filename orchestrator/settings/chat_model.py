"""The surfaces where people talk to the fleet, in a configuration file."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from orchestrator.settings.base import Keys, Loose

ChannelId = Annotated[str, StringConstraints(pattern=r"^[CGD][A-Z0-9]{1,20}$")]
"""A Slack channel's id, as its details show it: names change, ids do not."""


class SlackKeys(Keys):
    """A Slack workspace, reached in Socket Mode: no public address is needed."""

    bot_token: str = Field(
        min_length=1, repr=False, description="The bot's token (`xoxb-…`), by `${SLACK_BOT_TOKEN}`."
    )
    app_token: str = Field(
        min_length=1, repr=False, description="The app's token with `connections:write` (`xapp-…`)."
    )
    api_url: str = Field(
        default="https://slack.com/api/",
        pattern=r"^https?://[^\s]+/$",
        description="Address of Slack's Web API, with a slash at its end.",
    )
    channel: ChannelId | None = Field(
        default=None, description="Channel of every project that has none of its own in `channels`."
    )
    channels: dict[str, ChannelId] = Field(default={}, description="Channels by project.")
    command: str = Field(
        default="/ao", pattern=r"^/[a-z][a-z0-9_-]{0,30}$", description="The slash command of the app."
    )


class Chat(Keys):
    """The surfaces where people talk to the fleet."""

    slack: SlackKeys | None = Field(default=None, description="Slack: cards, threads, buttons, `/ao`.")
    discord: Loose = Field(default={}, description="Accepted without effect until Discord is there.")

    def surfaces(self) -> tuple[str, ...]:
        """Names of those that are configured."""
        return ("slack",) if self.slack is not None else ()
