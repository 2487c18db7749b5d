"""The GraphQL API: graphql-core over the part of GitHub's schema in `schema.graphql`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLUnionType,
    OperationDefinitionNode,
    OperationType,
    build_schema,
    default_field_resolver,
    execute,
    parse,
    validate,
)

from bot.demo.github import graph_looks, graph_mutations, graph_pulls
from bot.demo.github.access import Access, Who
from bot.demo.github.calls import Reply
from bot.demo.github.graph_fields import EVENTS, FIELDS, Field, Graph
from bot.demo.github.graph_paging import MAX_NODES, Cost
from bot.demo.github.limits import Limits
from bot.demo.github.model import Event, User
from bot.demo.github.refusals import Json, Refused
from bot.demo.github.world import World

KEPT_DOCUMENTS = 200
_KINDS = {
    "Tip": "Ref", "CommitAt": "Commit", "Pull": "PullRequest", "Issue": "Issue", "Comment": "IssueComment",
    "Review": "PullRequestReview", "Thread": "PullRequestReviewThread", "ReviewComment": "PullRequestReviewComment",
    "CheckRun": "CheckRun", "Suite": "CheckSuite", "Status": "StatusContext", "Label": "Label",
    "Repository": "Repository", "WorkflowRun": "WorkflowRun",
}  # fmt: skip
LOADED = (graph_pulls, graph_looks, graph_mutations)
"""Modules that register fields when they are imported."""


def _kind(one: object, _info: object, _of: object) -> str:
    if isinstance(one, dict):
        return str(one["kind"])
    if isinstance(one, User):
        return one.type
    return EVENTS[one.event] if isinstance(one, Event) else _KINDS[type(one).__name__]


@cache
def schema() -> GraphQLSchema:
    """Made once."""
    made = build_schema(Path(__file__).with_name("schema.graphql").read_text(encoding="utf-8"))
    for kind in made.type_map.values():
        if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
            kind.resolve_type = _kind
        elif isinstance(kind, GraphQLObjectType):
            for name, one in kind.fields.items():
                if (kind.name, name) in FIELDS:
                    one.resolve = _resolver(FIELDS[kind.name, name])
    return made


def _resolver(answer: Field) -> Any:  # noqa: ANN401 - graphql-core's own type
    def resolve(one: object, info: GraphQLResolveInfo[Any], **args: object) -> object:
        return answer(info.context, one, args)

    return resolve


@dataclass(slots=True)
class GraphQl:
    """The API and its counters."""

    world: World
    access: Access
    limits: Limits
    calls: Counter[str]
    """Also of REST; here `GRAPHQL operation` and `GRAPHQL points`."""
    unknown: list[str]
    documents: dict[str, tuple[DocumentNode, list[GraphQLError]]] = field(default_factory=dict)
    """The last documents that came, parsed and validated, by their text."""

    async def answer(self, headers: Mapping[str, str], data: bytes) -> Reply:
        """Never raises for what a caller did."""
        try:
            who = self.access.of(headers.get("Authorization", ""))
            body = json.loads(data)
        except Refused as refused:
            return Reply(refused.body, refused.status, refused.headers)
        except ValueError:
            return Reply({"message": "Problems parsing JSON"}, 400)
        if who.is_nobody or who.app is not None:
            return Reply({"message": "This endpoint requires you to be authenticated."}, 401)
        reply = await self._answer(who, str(body.get("query", "")), body.get("variables") or {}, body)
        bucket = self.limits.bucket(who.key, "graphql")
        reply.headers = self.access.headers(who) | bucket.headers("graphql") | reply.headers
        return reply

    async def _answer(self, who: Who, text: str, variables: Json, body: Json) -> Reply:
        try:
            document, wrong = self._document(text)
        except GraphQLError as error:
            return Reply({"errors": [_shown(error)]})
        name = _operation(document, body.get("operationName"))
        self.calls[f"GRAPHQL {name}"] += 1
        cost = Cost(document, variables)
        if cost.nodes > MAX_NODES:
            message = f"This query requests up to {cost.nodes} possible nodes which exceeds the maximum limit of 500,000."
            return Reply({"errors": [{"type": "MAX_NODE_LIMIT_EXCEEDED", "message": message}]})
        try:
            self.limits.spend(f"graphql {who.key}", 5 if is_mutation(document) else 1)
            self.limits.take(who.key, "graphql", cost.points)
        except Refused as refused:
            if "Retry-After" in refused.headers:
                return Reply(refused.body, refused.status, refused.headers)
            return Reply({"errors": [{"type": "RATE_LIMITED", "message": refused.message}]})
        self.calls["GRAPHQL points"] += cost.points
        if wrong:
            self.unknown += [f"GRAPHQL {name}: {error.message}" for error in wrong]
            return Reply({"errors": [_shown(error) for error in wrong]})
        graph = Graph(self.world, self.access, self.limits, who, cost.points, cost.nodes)
        return await self._run(document, variables, body, graph)

    def _document(self, text: str) -> tuple[DocumentNode, list[GraphQLError]]:
        """Parsed and validated. Raises `GraphQLError` for what is no GraphQL."""
        if text not in self.documents:
            document = parse(text)
            while len(self.documents) >= KEPT_DOCUMENTS:
                del self.documents[next(iter(self.documents))]
            self.documents[text] = document, list(validate(schema(), document))
        return self.documents[text]

    async def _run(self, document: DocumentNode, variables: Json, body: Json, graph: Graph) -> Reply:
        done = execute(
            schema(), document, context_value=graph, variable_values=variables,
            operation_name=body.get("operationName"), field_resolver=_attribute,
        )  # fmt: skip
        result = done if isinstance(done, ExecutionResult) else await done
        answer: Json = {"data": result.data}
        if result.errors:
            self.world.failures += [
                repr(error.original_error) for error in result.errors
                if error.original_error is not None and not isinstance(error.original_error, GraphQLError)
            ]  # fmt: skip
            answer["errors"] = [_shown(error) for error in result.errors]
        return Reply(answer)


def _attribute(one: object, info: GraphQLResolveInfo[Any], **args: object) -> object:
    return default_field_resolver(one, info, **args)


def _shown(error: GraphQLError) -> Json:
    """GitHub's type stands beside the message, not among extensions."""
    shape: Json = dict(error.formatted)
    more = shape.pop("extensions", None) or {}
    return ({"type": more["type"]} if "type" in more else {}) | shape


def is_mutation(document: DocumentNode) -> bool:
    """Whether it changes something."""
    return any(
        isinstance(node, OperationDefinitionNode) and node.operation is OperationType.MUTATION
        for node in document.definitions
    )


def _operation(document: DocumentNode, wanted: str | None) -> str:
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode) and node.name and wanted in (None, node.name.value):
            return node.name.value
    return "unnamed"
