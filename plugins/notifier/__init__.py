"""One-way ways to tell a person. Each module ends in `PLUGIN`."""
