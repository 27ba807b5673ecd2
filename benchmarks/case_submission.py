"""How fast cases are filed over HTTP, beside the database writing only the rows a user would miss.

Each request files a case with two materials (one of them an upload made before) and brings its own
Idempotency-Key; authentication, ownership, the form, the guide version and the clocks are all checked. The limit is
the case, two materials and one journal row in plain statements, with the durability that PostgreSQL has by default.
"""

import itertools
import json
from pathlib import Path

from backend import catalogue
from backend.store.unit import SYSTEM, run_unit
from benchmarks import generators, seeding
from benchmarks.frame import ROUNDS, Report, interleaved, ratio
from benchmarks.stage import Stage

PEOPLE, LINES = 1_000, 16_000
LIMIT = "case_submission"
FORM = {
    "reason": "damaged", "plate_no": "皖S12345", "vehicle_kind": "small", "vin_tail": "A12345",
    "owner_name": "测试甲", "owner_phone": "13900000001",
}  # fmt: skip
_UPLOADS = """
    INSERT INTO cases_upload (id, owner_id, media_type, size, pages, digest, key_sealed, uploaded_at, purge_at)
    SELECT 'up-' || lpad(n::text, 26, '0'), 'ps-' || lpad((n % {people})::text, 26, '0'), 'image/jpeg', 1000, 1,
        decode(repeat('00', 32), 'hex'), decode(repeat('00', 60), 'hex'), '2026-11-20T01:00:00Z', '2100-01-01T00:00:00Z'
    FROM generate_series(0, {count}) n
"""


def run(place: Stage, report: Report) -> None:
    report.say(f"limit {LIMIT}.sql, digest {generators.digest(LIMIT)}")
    run_unit(catalogue.load_base_data)
    catalogue.open_catalogue(SYSTEM)
    people = seeding.citizens(PEOPLE)
    rounds = ROUNDS + 1
    tables = (generators.LIMITS / f"{LIMIT}.tables.sql").read_text("utf-8")
    seeding.execute([_UPLOADS.format(people=PEOPLE, count=LINES * rounds), tables])
    files = [_lines(place.folder, people, number) for number in range(rounds)]
    turn = itertools.count()
    latency: list[generators.Load] = []

    def ours(seconds: int = generators.SECONDS) -> float:
        number = next(turn)
        env = {"LINES": str(files[number]), "ROUND": str(number), "POST_PATH": "/mp/v1/cases"}
        latency.append(generators.wrk(place.web_url, "post_each.lua", env, seconds=seconds))
        return latency[-1].rate

    ours(seconds=3)
    latency.clear()
    rates = interleaved(
        report,
        [
            ("case submission", ours),
            ("pgbench", lambda: generators.pgbench(place.database_url, LIMIT, seconds=5)),
        ],
    )
    ratio(
        report, "ratio_to_pgbench", rates["case submission"], rates["pgbench"], wanted=">=0.10, going to 0.30"
    )
    report.figure("per_second", sorted(rates["case submission"])[1])
    report.figure("p50_ms", sorted(load.p50_ms for load in latency)[1])
    report.figure("p99_ms", sorted(load.p99_ms for load in latency)[1])


def _lines(folder: Path, people: list[seeding.Citizen], number: int) -> Path:
    """Bodies for one round, each with an upload of its own and its owner's token."""
    path = folder / f"submissions-{number}.txt"
    with path.open("w", encoding="utf-8") as file:
        for n in range(number * LINES, (number + 1) * LINES):
            body = {
                "item_id": "SI024",
                "form": FORM,
                "materials": [
                    {"code": "m1", "mode": "upload", "uploads": [f"up-{n:026d}"]},
                    {"code": "m2", "mode": "mail"},
                ],
                "delivery": "window",
                "channel": "wechat",
            }
            file.write(f"{people[n % PEOPLE].token}\t{json.dumps(body, ensure_ascii=False)}\n")
    return path
