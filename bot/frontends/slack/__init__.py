"""Slack: Socket Mode by slack-bolt, calls by slack_sdk; both stay in here. Nothing but forms and events."""
