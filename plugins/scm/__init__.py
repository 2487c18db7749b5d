"""Where pull requests, checks and reviews live. Each module ends in `PLUGIN`."""
