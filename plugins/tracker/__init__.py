"""Where issues live. Each module ends in `PLUGIN`."""
