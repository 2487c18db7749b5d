"""How a line of the log looks: whoever logs hands what it is about as `extra`, under these names."""

from __future__ import annotations

import logging

from typing_extensions import override

FIELDS = ("session", "project", "slot", "plugin", "action")


class Lines(logging.Formatter):
    """The message, then the fields that are there: `[session=demo-1 action=merge]`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    @override
    def formatMessage(self, record: logging.LogRecord) -> str:
        said = super().formatMessage(record)
        fields = [f"{name}={value}" for name in FIELDS if (value := getattr(record, name, None))]
        return f"{said} [{' '.join(fields)}]" if fields else said
