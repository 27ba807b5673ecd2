"""How the WeChat platform says no: HTTP 200, an errcode, and an errmsg that ends with a request id."""

import secrets

from flask import Response

from simulators.answers import json_answer
from simulators.world import World

_MEANINGS = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40013: "invalid appid",
    40029: "invalid code",
    40037: "invalid template_id",
    40125: "invalid appsecret",
    40163: "code been used",
    40164: "invalid ip, not in whitelist",
    40169: "invalid length for scene, or the data is not json string",
    40226: "code blocked",
    41001: "access_token missing",
    41002: "appid missing",
    41004: "appsecret missing",
    41008: "missing code",
    41030: "invalid page",
    42001: "access_token expired",
    43101: "user refuse to accept the msg",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit  mustslower  retry next minute",
    47001: "data format error",
    47003: "argument invalid!",
}


def no(errcode: int, detail: str = "") -> Response:
    """A refusal with the platform's own words."""
    rid = "-".join((secrets.token_hex(4), secrets.token_hex(4), secrets.token_hex(4)))
    message = f"{_MEANINGS.get(errcode, 'error')}{detail} rid: {rid}"
    return json_answer({"errcode": errcode, "errmsg": message})


def ordered(_world: World, code: str) -> Response:
    """The refusal a fault asked for; -1 (system busy) if it named none."""
    return no(int(code) if code.lstrip("-").isdecimal() else -1)
