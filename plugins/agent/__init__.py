"""Which program works on the task. Each module ends in `PLUGIN`."""
