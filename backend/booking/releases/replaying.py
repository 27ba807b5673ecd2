"""Does a draw again from its public record and says in plain words what agrees. Needs no database and no secret.

Citizens and journalists run it: it speaks their language.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from backend.booking.releases import draws
from backend.booking.releases.draws import Record


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was computed again."""

    says: str
    agrees: bool


def replay(published: object) -> list[Check]:
    """Everything that anybody can check of a published record (GET /mp/v1/releases/<id>/record)."""
    if not isinstance(published, Mapping):
        return [Check("这是一份放号记录（内容不是记录，请重新下载）", agrees=False)]
    try:
        record = Record.model_validate(published)
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        return [Check(f"这是一份完整的放号记录（请看 {where} 处：{_fault(first['type'])}）", agrees=False)]
    checks = _whole(record, published)
    if record.seed is None or record.public_value is None or record.order is None:
        return [
            *checks,
            Check("已经摇出顺序（还没有摇号，或这次放号已取消）", agrees=False),
        ]
    checks += _order(record)
    if record.frozen.mode == "draw":
        checks += _outcome(record)
    return checks


def _whole(record: Record, published: Mapping[str, Any]) -> list[Check]:
    frozen, digest = record.frozen, draws.signed(published)["digest"]
    people = sum(one.party for one in frozen.entries)
    return [
        Check(f"记录的格式是“{draws.FORMAT}”或更早的一版", frozen.format in draws.FORMATS),
        Check(f"记录的摘要和内容相符（{digest}）", hmac.compare_digest(record.digest, digest)),
        Check(
            f"{len(frozen.entries)} 份报名（共 {people} 人）、{len(frozen.slots)} 个时段，与截止报名时封存的相同",
            record.frozen_digest == draws.digest_of(published["frozen"]),
        ),
        Check("每份报名、每个时段只出现一次", _is_tidy(record)),
    ]


def _is_tidy(record: Record) -> bool:
    frozen = record.frozen
    entries, slots = [one.id for one in frozen.entries], [one.id for one in frozen.slots]
    return len(set(entries)) == len(entries) and len(set(slots)) == len(slots)


def _order(record: Record) -> list[Check]:
    frozen, seed = record.frozen, _bytes(record.seed or "")
    value = record.public_value or ""
    order = draws.order_of(seed, value, frozen.release, [entry.id for entry in frozen.entries])
    mixed = f"种子加公开数值“{value}”（{frozen.public_source}）" if value else "种子"
    return [
        Check(
            f"公开的种子就是报名前承诺的那一个（承诺值 {frozen.commitment}）",
            draws.commitment_of(seed).hex() == frozen.commitment,
        ),
        Check(f"{len(order)} 份报名的顺序由{mixed}算出", list(record.order or ()) == order),
    ]


def _outcome(record: Record) -> list[Check]:
    if record.won is None or record.refused is None:
        return [Check("名额已分配完毕（还在分配，请稍后再核对）", agrees=False)]
    refused = {one.entry: one.why for one in record.refused}
    # The order computed again, not the one written down: a forged order must not vouch for its winners.
    frozen, seed = record.frozen, _bytes(record.seed or "")
    order = draws.order_of(
        seed, record.public_value or "", frozen.release, [one.id for one in frozen.entries]
    )
    rounds = draws.award(frozen, order, record.closed, refused)
    drew = {entry for seats in rounds for entry in seats}
    return [
        Check(f"{len(refused)} 份报名因故没有安排，都是已摇中的", refused.keys() <= drew),
        Check(
            f"{len(record.won)} 个名额按顺序给了 {len({seat.entry for seat in record.won})} 份报名，都是他们选的时段",
            list(record.won) == draws.winners(rounds, refused),
        ),
    ]


def _fault(kind: str) -> str:
    """What is wrong with a part of a record, of the kinds that pydantic names."""
    if kind == "missing":
        return "缺少这一项"
    return "不应有这一项" if kind == "extra_forbidden" else "内容不对"


def _bytes(text: str) -> bytes:
    """The bytes written in hexadecimal; none when it is not."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
