"""The API's document for OpenAPI 3.1, made from its shapes. Imported only when it is asked for."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from bot.frontends.api.shapes import (
    MODELS,
    Ask,
    Done,
    Event,
    Health,
    Healthz,
    Problem,
    Running,
    SessionInFull,
    Sessions,
    Shown,
)

_REF = "#/components/schemas/{model}"


def openapi(version: str) -> dict[str, Any]:
    """The document, for OpenAPI 3.1."""
    _, schemas = models_json_schema([(model, "validation") for model in MODELS], ref_template=_REF)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Agent Orchestrator", "version": version},
        "security": [{"token": []}],
        "paths": _paths(),
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _paths() -> dict[str, Any]:
    which = (_query("project", "string"), _query("ended", "string"))
    unwell = _said("503", "It is not.", Healthz)
    session = _in_path("session", "Its id, issue or pull request.")
    key = {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 200}}
    return {
        "/api/v1/health": _get("Version and newest event.", _ok(Health)),
        "/api/v1/sessions": _get("Sessions.", _ok(Sessions), *which),
        "/api/v1/sessions/{session}": _get("One session.", _ok(SessionInFull), session),
        "/api/v1/actions": {
            "post": {
                "summary": "Run a verb. Asking twice with one key is asking once.",
                "parameters": [key, _query("wait", "number")],
                "requestBody": {"required": True, "content": _json(Ask)},
                "responses": {**_ok(Done, Shown), **_said("202", "It runs.", Running), **_refusals()},
            }
        },
        "/api/v1/requests/{request}": _get(
            "How a request stands.",
            {**_ok(Done), **_said("202", "It runs.", Running)},
            _in_path("request", "From the 202."),
            _query("wait", "number"),
        ),
        "/api/v1/events": _get(
            "Events after a number, one JSON object a line.",
            _said("200", "Lines.", Event, kind="application/x-ndjson"),
            *(_query(name, kind) for name, kind in _EVENTS),
        ),
        "/healthz": _get("200 while the fleet is looked after.", {**_ok(Healthz), **unwell}),
        "/metrics": _get(
            "Numbers for Prometheus.",
            {"200": {"description": "Text.", "content": {"text/plain": {"schema": {"type": "string"}}}}},
        ),
    }


_EVENTS = (("after", "integer"), ("limit", "integer"), ("wait", "number"), ("follow", "integer"))


def _get(summary: str, answers: dict[str, Any], *parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "get": {"summary": summary, "parameters": list(parameters), "responses": {**answers, **_refusals()}}
    }


def _ok(*models: type[BaseModel]) -> dict[str, Any]:
    return _said("200", "Done.", *models)


def _refusals() -> dict[str, Any]:
    return _said("default", "Refused, or gone wrong.", Problem)


def _said(
    status: str, words: str, *models: type[BaseModel], kind: str = "application/json"
) -> dict[str, Any]:
    return {status: {"description": words, "content": _json(*models, kind=kind)}}


def _json(*models: type[BaseModel], kind: str = "application/json") -> dict[str, Any]:
    refs = [{"$ref": _REF.format(model=model.__name__)} for model in models]
    return {kind: {"schema": refs[0] if len(refs) == 1 else {"anyOf": refs}}}


def _query(name: str, kind: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": {"type": kind}}


def _in_path(name: str, words: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "description": words, "schema": {"type": "string"}}
