"""How a session gets its own copy of the code. Each module ends in `PLUGIN`."""
