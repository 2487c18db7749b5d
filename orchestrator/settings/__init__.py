"""The configuration: YAML and the environment in, checked `Settings` out; every error at once."""
