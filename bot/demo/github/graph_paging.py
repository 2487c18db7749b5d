"""Connections of the GraphQL API: first, last, after, before; and what a query costs."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)
from graphql.language import IntValueNode, VariableNode

from bot.demo.github.refusals import Json

NOT_FOUND, FORBIDDEN, UNPROCESSABLE = "NOT_FOUND", "FORBIDDEN", "UNPROCESSABLE"
RATE_LIMITED, MISSING_PAGINATION_BOUNDARIES = "RATE_LIMITED", "MISSING_PAGINATION_BOUNDARIES"
EXCESSIVE_PAGINATION, INVALID_CURSOR_ARGUMENTS = "EXCESSIVE_PAGINATION", "INVALID_CURSOR_ARGUMENTS"
MAX_NODES = 500_000
MAX_PAGE = 100


def error(kind: str, message: str) -> GraphQLError:
    """An error with GitHub's type, which stands beside its message."""
    return GraphQLError(message, extensions={"type": kind})


def _cursor(at: int) -> str:
    return base64.b64encode(f"cursor:v2:{at}".encode()).decode()


def _at(cursor: str) -> int:
    try:
        return int(base64.b64decode(cursor).decode().rsplit(":", 1)[1])
    except (ValueError, IndexError) as failed:
        raise error(INVALID_CURSOR_ARGUMENTS, f"`{cursor}` does not appear to be a valid cursor.") from failed


def connection(name: str, rows: Sequence[Any], args: Mapping[str, Any], **more: object) -> Json:
    """One page of rows. Raises GitHub's errors for a page without bounds or larger than 100."""
    first, last = args.get("first"), args.get("last")
    if first is None and last is None:
        message = f"You must provide a `first` or `last` value to properly paginate the `{name}` connection."
        raise error(MISSING_PAGINATION_BOUNDARIES, message)
    for word, size in (("first", first), ("last", last)):
        if size is not None and not 0 <= size <= MAX_PAGE:
            message = f"Requesting {size} records on the `{name}` connection exceeds the `{word}` limit of {MAX_PAGE} records."
            raise error(EXCESSIVE_PAGINATION, message)
    start = _at(args["after"]) if args.get("after") else 0
    end = _at(args["before"]) - 1 if args.get("before") else len(rows)
    if first is not None:
        end = min(end, start + first)
    if last is not None:
        start = max(start, end - last)
    shown = list(rows[start:end])
    page = {
        "startCursor": _cursor(start + 1) if shown else None,
        "endCursor": _cursor(end) if shown else None,
        "hasNextPage": end < len(rows),
        "hasPreviousPage": start > 0,
    }
    edges = [{"cursor": _cursor(start + at), "node": row} for at, row in enumerate(shown, 1)]
    return {"nodes": shown, "edges": edges, "pageInfo": page, "totalCount": len(rows), **more}


class Cost:
    """GitHub's estimate: one request for each parent of a connection, a hundred of them a point.

    https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
    """

    def __init__(self, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self._variables = variables
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self.requests = 0
        self.nodes = 0
        for node in document.definitions:
            if isinstance(node, OperationDefinitionNode):
                self._walk(node.selection_set, 1)

    @property
    def points(self) -> int:
        """At least 1."""
        return max(1, round(self.requests / 100))

    def _walk(self, found: SelectionSetNode | None, parents: int) -> None:
        for node in found.selections if found else ():
            if isinstance(node, FragmentSpreadNode):
                fragment = self._fragments.get(node.name.value)
                self._walk(fragment.selection_set if fragment else None, parents)
            elif isinstance(node, InlineFragmentNode):
                self._walk(node.selection_set, parents)
            elif isinstance(node, FieldNode):
                self._field(node, parents)

    def _field(self, node: FieldNode, parents: int) -> None:
        size = next(
            (self._size(a.value) for a in node.arguments or () if a.name.value in {"first", "last"}), None
        )
        if size is not None:
            self.requests += parents
            self.nodes += parents * size
        self._walk(node.selection_set, parents * (size if size is not None else 1))

    def _size(self, value: object) -> int:
        if isinstance(value, IntValueNode):
            return int(value.value)
        if isinstance(value, VariableNode):
            found = self._variables.get(value.name.value)
            return found if isinstance(found, int) else 0
        return 0
