"""The sandbox, the rehearsal agent and the demo; imported only by `ao demo`, the rehearsal and tests."""
