"""One verb, one file: grammar, help, role, confirmation, inverse, and what it runs."""
