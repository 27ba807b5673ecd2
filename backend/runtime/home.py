"""The first page: says that the town is open and where its windows are. The phone clients bring their own."""

from collections.abc import Sequence

from flask import Blueprint, Response, render_template_string

from backend.runtime.surface import Surface

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
_PAGE = """<!doctype html>
<html lang="zh-CN">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>掌办 · 移动政务服务</title>
<style>
  body { font: 18px/1.7 system-ui, "Noto Sans CJK SC", sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem;
         color: #1a1a1a; background: #fff; }
  h1 { font-size: 1.6rem; } a { color: #0b57a4; } li { margin: .5rem 0; } code { color: #333; }
</style>
<h1>掌办已经开门</h1>
<p>预约、申请、查进度、缴费、寄递，都在手机上办。</p>
<ul>
{% for surface in surfaces %}
  <li><code>{{ surface.prefix }}</code> {{ surface.title }}</li>
{% endfor %}
  <li><a href="/docs">接口文档</a>（<a href="/openapi.json">OpenAPI 3.1</a>）</li>
  <li><a href="/health/ready">运行状态</a></li>
</ul>
<p>需要人工帮助请拨打 12345。</p>
</html>"""


def blueprint(surfaces: Sequence[Surface]) -> Blueprint:
    """GET / as a page of plain HTML."""
    made = Blueprint("home", __name__)

    @made.get("/")
    def first_page() -> Response:
        page = render_template_string(_PAGE, surfaces=surfaces)
        response = Response(page, content_type="text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = _POLICY
        return response

    return made
