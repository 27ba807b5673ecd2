"""The rush for places: nobody oversold, and how fast places are booked, beside the database doing only the core of it.

First 5,000 citizens want 500 places, all at once and over HTTP. Then bookings (a hold and a confirmation, both over
HTTP) are counted at free capacity, beside a guarded UPDATE and an INSERT in pgbench. Last, holds of one hot slot are
counted beside holds spread over 1,000 slots: where capacity is a counter they queue for its row, here they do not.
"""

import itertools
import re
import statistics
from collections.abc import Callable, Iterable

from sqlalchemy import text

from backend import booking
from backend.kernel import clock
from backend.store.unit import Unit, run_unit
from benchmarks import generators, hall, seeding
from benchmarks.crowd import Crowd, Manners
from benchmarks.frame import ROUNDS, Report, interleaved, ratio
from benchmarks.stage import Stage

LIMIT, SEED = "slot_rush", 20261121
CITIZENS, SLOTS, PLACES = 5_000, 50, 10
MANNERS = Manners(threads=48)
WIDE = 1_000
"""Slots over which bookings, and spread holds, are strewn; the limit has as many."""
LINES, SECONDS = 12_000, 8
HOLDS, HOLD_SECONDS = 10_000, 4
HOT_PLACES = 2_000
"""Places of the one slot that all want; when they are gone, all want the next such slot."""
_BOOKED = re.compile(r"Booked/sec: ([\d.]+)")
_OVERSOLD = text("""
    SELECT coalesce(sum(greatest(taken - capacity, 0)), 0), coalesce(sum(taken), 0) FROM (
        SELECT s.capacity, (SELECT coalesce(sum(b.party), 0) FROM booking_booking b WHERE b.slot_id = s.id
            AND b.state IN ('held', 'confirmed', 'checked_in', 'called', 'served')) AS taken
        FROM booking_slot s WHERE s.group_id = :batch) counted
""")
_KEPT = text("""
    SELECT count(*) FROM booking_booking b JOIN booking_place p ON p.booking_id = b.id AND p.slot_id = b.slot_id
    WHERE b.state = 'confirmed' AND b.id = ANY(:told)
""")


def run(place: Stage, report: Report) -> None:
    report.say(f"limit {LIMIT}.sql, digest {generators.digest(LIMIT)}")
    hall.open_halls()
    sizes = [CITIZENS] + [LINES] * (ROUNDS + 1) + [HOLDS] * (2 * ROUNDS)
    rush, *others = hall.crowds(sizes)
    seeding.execute(hall.people_sql(range(sum(sizes))))
    _rush(place, report, rush)
    _free_capacity(place, report, others[: ROUNDS + 1])
    _hot_slot(place, report, others[ROUNDS + 1 :])


def _rush(place: Stage, report: Report, people: range) -> None:
    """Everybody at once; raises BadRun unless every place has exactly one owner who was told so."""
    seeding.execute(hall.slots_sql("rush", SLOTS, PLACES))
    crowd = Crowd(place.web_url, SEED, MANNERS)
    begun = clock.monotonic()
    crowd.rush(hall.citizens(people), hall.slots_of("rush", SLOTS))
    seconds, asked = clock.monotonic() - begun, len(crowd.latency_ms)
    report.say(
        f"{len(people):,} citizens, {asked:,} requests in {seconds:.1f} s ({asked / seconds:.0f} per second)"
    )
    report.say(f"answers by status: {dict(sorted(crowd.statuses.items()))}")
    told = [one.booking_id for one in crowd.ended("confirmed")]
    over, taken, kept = run_unit(lambda u: _counted(u, "rush", told))
    report.figure("oversold", over, wanted="0")
    report.figure("confirmed", len(told), wanted=f"{SLOTS * PLACES}")
    report.figure("refused", len(crowd.ended("refused")), wanted=f"{CITIZENS - SLOTS * PLACES}")
    report.figure(
        "errors", sum(n for status, n in crowd.statuses.items() if not 200 <= status < 500), wanted="0"
    )
    report.figure("rush_p50_ms", statistics.median(crowd.latency_ms))
    report.figure("rush_p99_ms", statistics.quantiles(crowd.latency_ms, n=100)[98])
    _require_sound(crowd, (over, taken, kept))


def _counted(u: Unit, batch: str, told: list[str]) -> tuple[int, int, int]:
    """Places above capacity, places taken, and how many of those told of a place have it."""
    over, taken = u.session.execute(_OVERSOLD, {"batch": batch}).one()
    return int(over), int(taken), int(u.session.execute(_KEPT, {"told": told}).scalar_one())


def _require_sound(crowd: Crowd, counted: tuple[int, int, int]) -> None:
    over, taken, kept = counted
    books, wanted = run_unit(booking.check_books), SLOTS * PLACES
    endings = {how: len(crowd.ended(how)) for how in ("confirmed", "refused", "puzzled")}
    if over or books or endings != {"confirmed": wanted, "refused": CITIZENS - wanted, "puzzled": 0}:
        odd = [one.last for one in crowd.ended("puzzled")][:3]
        raise generators.BadRun(
            f"the rush ended with {endings}, oversold {over}, books {books[:3]}, odd {odd}"
        )
    if (taken, kept) != (wanted, wanted):
        raise generators.BadRun(
            f"{wanted} were told of a place, {taken} are taken, {kept} of the told have one"
        )


def _free_capacity(place: Stage, report: Report, crowds: list[range]) -> None:
    """Bookings per second where nobody has to be refused, beside the limit."""
    batches = [f"wide{n}" for n in range(len(crowds))]
    slots = [hall.slots_sql(batch, WIDE, -(-LINES // WIDE)) for batch in batches]
    tables = (generators.LIMITS / f"{LIMIT}.tables.sql").read_text("utf-8")
    seeding.execute([*itertools.chain(*slots), tables])
    rounds = enumerate(zip(batches, crowds, strict=True))
    latency: list[generators.Load] = []

    def ours(seconds: int = SECONDS) -> float:
        number, (batch, people) = next(rounds)
        lines = (
            f"{one.person_id}\t{one.token}\tsl-{batch}-{n % WIDE}"
            for n, one in enumerate(hall.citizens(people))
        )
        env = {"LINES": _written(place, f"book-{number}.txt", lines), "ROUND": f"book-{number}"}
        latency.append(generators.wrk(place.web_url, "book_each.lua", env, seconds=seconds))
        booked = _BOOKED.search(latency[-1].said)
        if booked is None:
            raise generators.BadRun(latency[-1].said)
        return float(booked[1])

    ours(seconds=3)
    latency.clear()
    limit = ("pgbench", lambda: generators.pgbench(place.database_url, LIMIT, seconds=5))
    rates = interleaved(report, [("bookings", ours), limit])
    ratio(report, "ratio_to_pgbench", rates["bookings"], rates["pgbench"], wanted=">=0.08, going to 0.20")
    report.figure("per_second", statistics.median(rates["bookings"]))
    report.figure("p50_ms", statistics.median(load.p50_ms for load in latency))
    report.figure("p99_ms", statistics.median(load.p99_ms for load in latency))


def _hot_slot(place: Stage, report: Report, crowds: list[range]) -> None:
    """Holds per second when all want the same slot, beside holds spread over a thousand slots."""
    hot, rounds = -(-HOLDS // HOT_PLACES), range(len(crowds) // 2)
    seeds = [
        [*hall.slots_sql(f"hot{n}", hot, HOT_PLACES), *hall.slots_sql(f"cool{n}", WIDE, -(-HOLDS // WIDE))]
        for n in rounds
    ]
    seeding.execute(list(itertools.chain(*seeds)))
    coming = iter(crowds)

    def measured(name: str, slot_of: Callable[[int], int]) -> Callable[[], float]:
        turn = iter(rounds)

        def measure() -> float:
            batch = f"{name}{next(turn)}"
            lines = (
                f'{one.token}\t{{"slot_id":"sl-{batch}-{slot_of(n)}"}}'
                for n, one in enumerate(hall.citizens(next(coming)))
            )
            env = {
                "LINES": _written(place, f"{batch}.txt", lines),
                "ROUND": batch,
                "POST_PATH": "/mp/v1/bookings",
            }
            return generators.wrk(place.web_url, "post_each.lua", env, seconds=HOLD_SECONDS).rate

        return measure

    sides = [
        ("hot", measured("hot", lambda n: n // HOT_PLACES)),
        ("cool", measured("cool", lambda n: n % WIDE)),
    ]
    rates = interleaved(report, sides)
    ratio(report, "hot_slot_ratio", rates["hot"], rates["cool"], wanted=">=0.8")
    report.figure("hot_holds_per_second", statistics.median(rates["hot"]))


def _written(place: Stage, name: str, lines: Iterable[str]) -> str:
    path = place.folder / name
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return str(path)
