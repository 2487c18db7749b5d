"""Who hears what: pure decisions over the event log. No I/O, time passed in."""
