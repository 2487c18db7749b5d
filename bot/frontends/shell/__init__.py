"""The shell as a surface: words to requests, messages to text, and what is done on this machine alone."""
