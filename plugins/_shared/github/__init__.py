"""GitHub: calls and their budget, what is read of pull requests and issues, what is written, and webhooks."""
