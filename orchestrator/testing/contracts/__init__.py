"""One class of contract tests a port; it runs on the fake and on every real plugin."""
