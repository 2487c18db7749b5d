"""A fake GitHub on this machine: REST, GraphQL, webhooks and real git over smart HTTP. Start at `server`."""

from __future__ import annotations
