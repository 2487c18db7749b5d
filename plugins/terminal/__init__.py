"""How a person opens a session's terminal. Each module ends in `PLUGIN`."""
