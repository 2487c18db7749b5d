"""What all surfaces share: requests, messages, conversations. No chat library is known here."""
