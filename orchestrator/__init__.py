"""The fleet: looks after sessions, and knows no chat and no plugin."""
