"""What is kept, in flat files under `$AO_HOME`: documents, the event log, requests, the lock."""
