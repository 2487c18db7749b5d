"""The chat side: a person's words in, an answer out. May import plugins (only `app`) and the fleet."""
