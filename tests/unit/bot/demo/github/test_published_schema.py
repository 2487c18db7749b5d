"""The fake GitHub's GraphQL schema is a part of the one that GitHub publishes: names, types, arguments, nullability."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
)

from bot.demo.github.graph import schema
from tests.published import package


def _differences(ours: GraphQLSchema, theirs: GraphQLSchema) -> Iterator[str]:
    for name, kind in ours.type_map.items():
        if name.startswith("__"):
            continue
        published = theirs.type_map.get(name)
        if published is None:
            yield name
        elif isinstance(kind, GraphQLEnumType) and isinstance(published, GraphQLEnumType):
            yield from (f"{name}.{value}" for value in kind.values if value not in published.values)
        elif isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            assert isinstance(published, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType)
            yield from _fields(kind, published)


def _fields(
    ours: GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType,
    theirs: GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType,
) -> Iterator[str]:
    for name, field in ours.fields.items():
        published = theirs.fields.get(name)
        if published is None or str(published.type) != str(field.type):
            yield f"{ours.name}.{name}: {field.type}"
            continue
        for argument, one in getattr(field, "args", {}).items():
            known = getattr(published, "args", {}).get(argument)
            if known is None or str(known.type) != str(one.type):
                yield f"{ours.name}.{name}({argument}: {one.type})"


def test_it_is_a_part_of_what_github_publishes() -> None:
    text = (package("@octokit/graphql-schema") / "schema.graphql").read_text(encoding="utf-8")
    assert list(_differences(schema(), build_schema(text, assume_valid=True))) == []


def test_a_wrong_name_type_argument_or_value_is_noticed() -> None:
    theirs = build_schema("enum E { A } type Query { a(x: Int): String! b: E }")
    ours = build_schema(
        "enum E { A B } type Query { a(x: Int, y: Int): String! b: E! c: Odd } type Odd { d: Int }"
    )
    assert sorted(_differences(ours, theirs)) == [
        "E.B",
        "Odd",
        "Query.a(y: Int)",
        "Query.b: E!",
        "Query.c: Odd",
    ]
