"""How fast a citizen's timeline is read, cold, beside a Flask route that does nothing.

200,000 cases of five steps belong to 1,000 people with a session each; every request asks for a case drawn evenly,
with the bearer token of its owner. Nothing is cached between requests. Server, workers and threads are the same.
"""

from backend import catalogue
from backend.store.unit import SYSTEM, run_unit
from benchmarks import generators, seeding
from benchmarks.frame import Report, interleaved, ratio
from benchmarks.stage import Stage

CASES, PEOPLE, STEPS = 200_000, 1_000, 5
ITEM = "SI025"

LATE_SHARE = 10
"""One case in so many is late by a day: lateness is counted and told, which costs more."""

_CASES = f"""
    INSERT INTO cases_case (id, number, state, person_id, item_id, item_version_id, item_name, department_id,
        region_code, channel, delivery, form_sealed, holder, submitted_at, received_at, accepted_on,
        promised_on, legal_on, due_on)
    SELECT 'cs-' || lpad(n::text, 26, '0'), 'BZ' || lpad(n::text, 12, '0'), 'reviewing',
        'ps-' || lpad((n % {PEOPLE})::text, 26, '0'), '{ITEM}', '{{version}}', '不动产首次登记预受理',
        'BZ-GT', '341600', 'wechat', 'window', decode(repeat('00', 200), 'hex'), 'department',
        now() - interval '3 days', now() - interval '3 days', current_date - 2,
        promised.on, current_date + 30, promised.on
    FROM generate_series(0, {CASES - 1}) n,
        LATERAL (SELECT current_date + CASE WHEN n % {LATE_SHARE} = 0 THEN -2 ELSE 5 END) AS promised("on")
"""
_LINES = f"""
    INSERT INTO store_journal (matter, seq, subject, trigger, source, target, says, occurred_at, heard_at,
        actor_kind, actor_id, actor_label, facts, digest, link)
    SELECT 'cs-' || lpad(n::text, 26, '0'), s.seq, 'cs-' || lpad(n::text, 26, '0'), s.trigger, s.source, s.target,
        s.says, now() - interval '3 days' + s.seq * interval '5 hours',
        now() - interval '3 days' + s.seq * interval '5 hours',
        'staff', 'st-bench', '不动产登记窗口', '{{}}'::jsonb,
        decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex')
    FROM generate_series(0, {CASES - 1}) n, (VALUES
        (1, 'submitted', 'draft', 'submitted', '提交了申请'),
        (2, 'correction_requested', 'submitted', 'correcting', '一次性告知补正内容'),
        (3, 'resubmitted', 'correcting', 'submitted', '提交了补正材料'),
        (4, 'accepted', 'submitted', 'accepted', '申请已受理'),
        ({STEPS}, 'review_started', 'accepted', 'reviewing', '开始审查')) AS s(seq, trigger, source, target, says)
"""


def run(place: Stage, report: Report) -> None:
    report.say(f"seeding {CASES:,} cases of {STEPS} steps")
    run_unit(catalogue.load_base_data)
    catalogue.open_catalogue(SYSTEM)
    version = run_unit(lambda u: catalogue.published_version(u, ITEM))
    people = seeding.citizens(PEOPLE)
    seeding.execute([_CASES.format(version=version.id), _LINES])
    tokens = place.folder / "tokens.txt"
    tokens.write_text("\n".join(one.token for one in people) + "\n", "utf-8")
    env = {"TOKENS": str(tokens), "CASES": str(CASES)}
    latency: list[generators.Load] = []

    def ours() -> float:
        load = generators.wrk(place.web_url, "progress_lookup.lua", env)
        latency.append(load)
        return load.rate

    generators.wrk(place.web_url, "progress_lookup.lua", env, seconds=3)
    rates = interleaved(
        report, [("progress lookup", ours), ("bare Flask", lambda: generators.wrk(place.bare_url).rate)]
    )
    ratio(
        report,
        "cold_ratio_to_bare_flask",
        rates["progress lookup"],
        rates["bare Flask"],
        wanted=">=0.10, going to 0.25",
    )
    report.figure("per_second", sorted(rates["progress lookup"])[1])
    report.figure("p50_ms", sorted(load.p50_ms for load in latency)[1])
    report.figure("p99_ms", sorted(load.p99_ms for load in latency)[1])
