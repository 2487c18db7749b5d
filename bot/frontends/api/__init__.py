"""The HTTP surface of `ao`: verbs, sessions and the event stream. Starlette and uvicorn stay in here."""
