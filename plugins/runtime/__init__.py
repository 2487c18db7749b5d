"""Where agents run. Each module ends in `PLUGIN`."""
