"""One folder a surface: its events to requests, messages to its own form; nothing else."""
