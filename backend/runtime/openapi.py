"""OpenAPI 3.1 made from the declarations of the surfaces, and a page to read it that needs no internet."""

import importlib.resources
import re
from collections.abc import Sequence
from typing import Any

import orjson
from flask import Blueprint, Response, current_app
from pydantic import TypeAdapter
from werkzeug.routing import Rule

from backend.kernel.problems import Problem
from backend.runtime import problem_schemas, refusals
from backend.runtime.bodies import RawBody
from backend.runtime.surface import Route, Surface

VERSION = "1.0.0"
_REF = "#/components/schemas/{model}"
_PATH_PARAMETER = re.compile(r"<(?:[a-z]+:)?([a-z_]+)>")
_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "每次提交用一个新的随机编号；没有收到回应时用同一个编号重发，不会重复办理",
    "schema": {"type": "string", "minLength": 8, "maxLength": 128},
}
_DEVICE: dict[str, Any] = {
    "name": "X-Device-Id",
    "in": "header",
    "required": False,
    "description": "小程序在本机首次打开时生成并一直使用的随机编号，用来限制一台设备一天的预约次数；不带时按网络地址计",
    "schema": {"type": "string", "maxLength": 64},
}
_ASSETS = ("swagger-ui.css", "swagger-ui-bundle.js")
_SECURITY: dict[str, list[dict[str, list[str]]]] = {
    "citizen": [{"citizenToken": []}],
    "courier": [{"courierToken": []}],
    "staff": [{"staffToken": []}],
    "department": [{"staffToken": []}, {"systemSignature": []}],
}
_PAGE = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>掌办接口文档</title>
<meta name="viewport" content="width=device-width,initial-scale=1">
<link rel="stylesheet" href="/docs/swagger-ui.css"><body><div id="ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body></html>"""
_START = "SwaggerUIBundle({url: '/openapi.json', dom_id: '#ui', validatorUrl: null, deepLinking: true})"
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; connect-src 'self'"
)


def document(surfaces: Sequence[Surface], rules: Sequence[Rule] = ()) -> dict[str, Any]:
    """The whole document, as JSON-ready data; `rules` of the app add what is beside the surfaces."""
    routes = [(surface, route) for surface in surfaces for route in surface.routes]
    schemas, components = _schemas([route for _, route in routes])
    components["Problem"] = problem_schemas.common()
    told = {kind for _, route in routes for kind in refusals.promised(route) if kind.extras}
    components |= problem_schemas.of_kinds(told)
    paths: dict[str, dict[str, Any]] = {}
    for surface, route in routes:
        path = surface.prefix + _PATH_PARAMETER.sub(r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(surface, route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "掌办 Zhangban", "version": VERSION, "description": "市级移动政务服务后端接口"},
        "tags": [
            *({"name": surface.name, "description": surface.title} for surface in surfaces),
            {"name": "callbacks", "description": "供第三方平台回调，各用其自己的格式和签名"},
            {"name": "health", "description": "运行状态，供机房使用"},
        ],
        "paths": dict(sorted((paths | _beside(rules)).items())),
        "components": {"schemas": components, "securitySchemes": _security_schemes()},
    }


def blueprint(surfaces: Sequence[Surface]) -> Blueprint:
    """`/openapi.json`, `/docs` and the page's own assets."""
    made = Blueprint("docs", __name__)
    whole: list[bytes] = []

    @made.get("/openapi.json")
    def openapi_json() -> Response:
        if not whole:
            whole.append(orjson.dumps(document(surfaces, list(current_app.url_map.iter_rules()))))
        return Response(whole[0], content_type="application/json")

    @made.get("/docs")
    def page() -> Response:
        response = Response(_PAGE, content_type="text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = _PAGE_POLICY
        return response

    @made.get("/docs/<name>")
    def asset(name: str) -> Response:
        return _asset(name)

    return made


def _asset(name: str) -> Response:
    media = "text/css" if name.endswith(".css") else "text/javascript"
    if name == "start.js":
        return Response(_START, content_type=f"{media}; charset=utf-8")
    if name not in _ASSETS:
        return Response(status=404)
    file = importlib.resources.files("flask_swagger_ui") / "dist" / name
    response = Response(file.read_bytes(), content_type=f"{media}; charset=utf-8")
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response


def _beside(rules: Sequence[Rule]) -> dict[str, dict[str, Any]]:
    """Providers' callbacks and the health pages: they speak no JSON schema of ours, but they are there."""
    found: dict[str, dict[str, Any]] = {}
    for rule in rules:
        house = rule.endpoint.partition(".")[0]
        if not house.startswith("callbacks_") and house != "health":
            continue
        path = _PATH_PARAMETER.sub(r"{\1}", rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            found.setdefault(path, {})[method.lower()] = _plain_operation(rule, house)
    return found


def _plain_operation(rule: Rule, house: str) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PATH_PARAMETER.findall(rule.rule)
    ]
    callback = house != "health"
    return {
        "operationId": rule.endpoint.replace(".", "_"),
        "tags": ["callbacks" if callback else "health"],
        "summary": "收到第三方平台的消息" if callback else "运行状态",
        "parameters": parameters,
        "responses": {
            "200": {"description": "按平台自己的格式答复" if callback else "正常"},
            "4XX": {"description": "签名不对或不在允许的来源，什么也没有保存"},
            "5XX": {"description": "暂时不能处理，请按平台规则重发" if callback else "还没有准备好"},
        },
        "security": [],
    }


def _schemas(routes: Sequence[Route]) -> tuple[dict[tuple[int, str], Any], dict[str, Any]]:
    wanted: dict[tuple[int, str], Any] = {}
    for route in routes:
        for kind, mode in (
            (route.answers, "serialization"),
            (route.body, "validation"),
            (route.query, "validation"),
        ):
            if kind is not None and not isinstance(kind, RawBody):
                wanted[(id(kind), mode)] = (kind, mode)
    inputs = [(key, mode, TypeAdapter(kind)) for key, (kind, mode) in wanted.items()]
    made, definitions = TypeAdapter.json_schemas(inputs, ref_template=_REF)
    return {key: made[(key, mode)] for key, (_, mode) in wanted.items()}, definitions.get("$defs", {})


def _operation(surface: Surface, route: Route, schemas: dict[tuple[int, str], Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": f"{surface.name}_{route.name}",
        "tags": [surface.name],
        "summary": route.summary,
        **({"description": route.more} if route.more else {}),
        "parameters": _parameters(route, schemas),
        "responses": _responses(route, schemas),
        "security": _SECURITY.get(route.audience, []),
    }
    if isinstance(route.body, RawBody):
        media = {kind: {"schema": {"type": "string", "contentMediaType": kind}} for kind in route.body.media}
        operation["requestBody"] = {"required": True, "content": media}
    elif route.body is not None:
        schema = schemas[(id(route.body), "validation")]
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return operation


def _parameters(route: Route, schemas: dict[tuple[int, str], Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PATH_PARAMETER.findall(route.path)
    ]
    if route.query is not None:
        schema = route.query.model_json_schema(ref_template=_REF)
        found += [
            {"name": name, "in": "query", "required": name in schema.get("required", []), "schema": part}
            for name, part in schema.get("properties", {}).items()
        ]
    if route.writes and route.audience != "provider":
        found.append(_KEY)
    elif not route.writes and not route.media:
        found.append(
            {"name": "If-None-Match", "in": "header", "required": False, "schema": {"type": "string"}}
        )
    return [*found, _DEVICE] if route.device else found


def _responses(route: Route, schemas: dict[tuple[int, str], Any]) -> dict[str, Any]:
    good: dict[str, Any] = {"description": "好"}
    if route.answers is not None:
        good["content"] = {"application/json": {"schema": schemas[(id(route.answers), "serialization")]}}
    elif route.media:
        good["content"] = {media: {"schema": _file(media)} for media in route.media}
    responses: dict[str, Any] = {str(route.status): good}
    if not route.writes and not route.media:
        responses["304"] = {"description": "没有变化"}
    by_status: dict[int, list[type[Problem]]] = {}
    for kind in refusals.promised(route):
        by_status.setdefault(kind.status, []).append(kind)
    for status, kinds in sorted(by_status.items()):
        told = "\n".join(sorted({f"- `{kind.slug}` {kind.title}" for kind in kinds}))
        schema = problem_schemas.any_of(kinds)
        responses[str(status)] = {"description": told, "content": {refusals.MEDIA: {"schema": schema}}}
    return responses


def _file(media: str) -> dict[str, Any]:
    return {"type": "string"} if media.startswith("text/") else {"type": "string", "contentMediaType": media}


def _security_schemes() -> dict[str, Any]:
    bearer = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    signature = {
        "type": "apiKey",
        "in": "header",
        "name": "X-Signature",
        "description": (
            "HMAC-SHA256(secret, METHOD\\npath?query\\nX-Time\\nX-Nonce\\nhex(sha256(body)));"
            " 另需 X-Key-Id、X-Time、X-Nonce"
        ),
    }
    return {
        "citizenToken": bearer,
        "courierToken": bearer,
        "staffToken": bearer,
        "systemSignature": signature,
    }
