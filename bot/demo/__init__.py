"""The sandbox, the rehearsal agent, the fake Slack and the demo; imported only by `ao demo`, the rehearsal and tests."""
