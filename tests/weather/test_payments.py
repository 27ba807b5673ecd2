"""Payers, offices and refunds while callbacks go astray, providers fall ill, and parts of the town are killed -9.

`make weather ONLY=payments` tells it with 500 payments and 200 refunds; `make test` with fewer, in a minute. The
whole story is drawn from WEATHER_SEED before it begins; it ends on the next morning, with both channels' statements
reconciled: their books, our ledger, the settlements and the debts agree to the fen with each other and with the story.
"""

import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.weather import money, morning, plan, purses
from tests.weather.lines import Outside
from tests.weather.makers import Opened, opened_town, wait_for
from tests.weather.payers import Crowd
from tests.weather.plan import Fate
from tests.weather.purses import Size, Story
from town import places, postgres

WEB, WORKER, DATABASE, RELAY = "web", "worker", "postgres", "relay"
EVERY = (WEB, WORKER, DATABASE)
SIZE = (
    Size(500, 200, 50, 8, (*EVERY * 3, RELAY), (*EVERY * 2, RELAY), healing_s=240.0)
    if plan.IS_FULL
    else Size(48, 20, 16, 8, (WEB, DATABASE), (WORKER,), healing_s=100.0)
)
STORY = purses.story(SIZE)
PAST_EXPIRY = "+31m"
pytestmark = pytest.mark.timeout(1200 if plan.IS_FULL else 400)


@dataclass
class Played:
    """The story as it went, and how long its chapters took."""

    crowd: Crowd
    ledger: money.Ledger
    outside: Outside
    killed: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    evening: dict[str, money.Sides] = field(default_factory=dict)
    """The channels' books before the night."""
    unheard: dict[str, str] = field(default_factory=dict)
    """States in the evening of what only the statements will tell."""
    missed: set[str] = field(default_factory=set)
    """Numbers of which the channels have money in the evening, and our books have not."""
    day: str = ""

    @contextmanager
    def chapter(self, name: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - begun
        sys.stdout.write(f"\n  {name}: {self.seconds[name]:.0f} s")

    def heal(self, chapter: str) -> None:
        """Every letter that was put off goes out, and the town finds the rest out by itself."""
        with self.chapter(chapter):
            self.outside.post("/outbox/release", {})
            if not wait_for(lambda: self.ledger.ask(money.SILENT) == [], SIZE.healing_s):
                sys.stdout.write(f"\n  still silent: {self.ledger.ask(money.SILENT)}")

    def sleep(self, opened: Opened) -> None:
        """The night passes: the town fetches both channels' statements by itself, and heals what they tell."""
        with self.chapter("the morning after"):
            self.evening, self.unheard = (
                money.books_of(self.outside),
                morning.unheard(self.crowd, self.ledger),
            )
            theirs = {number for sides in self.evening.values() for number in sides.paid}
            self.missed = theirs - self.ledger.sides().paid.keys()
            self.crowd.spoil_the_fetching()
            now = datetime.fromisoformat(opened.command("clock").strip().removesuffix(" in Shanghai"))
            self.day = f"{now:%Y-%m-%d}"
            then = now.replace(hour=10, minute=30) + timedelta(days=1)
            opened.command("clock", f"+{int((then - now).total_seconds()) // 60}m")
            if not wait_for(self._is_morning_done, SIZE.healing_s):
                sys.stdout.write(f"\n  not reconciled: {self.ledger.ask(morning.WAITING, (self.day,))}")

    def _is_morning_done(self) -> bool:
        ask = self.ledger.ask
        return ask(morning.WAITING, (self.day,)) == [] and ask(money.SILENT) == []


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """A town with a database of its own, which it starts again when it dies."""
    state = tmp_path_factory.mktemp("payments") / "town"
    try:
        with opened_town(state, LOGINS_PER_ADDRESS="1000000", LOOKUPS_PER_ADDRESS="1000000") as town:
            yield town
    finally:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TOWN_STATE_DIR", str(state))
            for home in places.database_homes():
                postgres.remove(home)


@pytest.fixture(scope="module")
def played(opened: Opened) -> Played:
    """The whole story, told once."""
    entry = opened.entry
    outside = Outside(entry["addresses"]["simulators"])
    crowd = Crowd(STORY, entry["addresses"]["town"], outside, entry["accounts"])
    told = Played(crowd, money.Ledger(entry["database_url"]), outside)
    morning.want_fees(outside)
    with told.chapter("coming"):
        crowd.come()
    with told.chapter("paying"):
        fate = Fate(STORY.deaths_paying, opened.kill)
        crowd.pay(fate)
        told.killed += fate.struck
    outside.clear_the_sky()
    opened.command("clock", PAST_EXPIRY)
    told.heal("healing payments")
    with told.chapter("late money"):
        crowd.pay_after_the_closing()
    told.heal("healing late money")
    with told.chapter("returning"):
        fate = Fate(STORY.deaths_returning, opened.kill)
        crowd.give_back(fate, told.ledger.settling)
        told.killed += fate.struck
    outside.clear_the_sky()
    told.heal("healing refunds")
    told.sleep(opened)
    _tell(told)
    return told


def _tell(told: Played) -> None:
    """The figures of the story; pytest shows them in a full one."""
    ours, struck = told.ledger.sides(), told.outside.get("/faults")["struck"]
    letters = [one for one in told.outside.get("/outbox")["letters"] if one["route"] in ("wxpay", "alipay")]
    verdicts = told.ledger.ask("SELECT verdict, count(*) FROM store_notice GROUP BY 1 ORDER BY 1")
    manners = Counter(purse.manner for purse in STORY.purses)
    products = Counter(purse.product for purse in STORY.purses)
    settled = morning.settled(told.ledger)
    seconds = ", ".join(f"{name} {s:.0f} s" for name, s in told.seconds.items())
    sys.stdout.write(
        f"\n  WEATHER_SEED={plan.SEED} tells story {plan.fingerprint(STORY)}: {dict(manners)}, {dict(products)}"
        f"\n  {len(ours.paid)} payments of {sum(ours.paid.values()) / 100:,.2f} yuan,"
        f" {len(ours.returned)} refunds of {sum(ours.returned.values()) / 100:,.2f} yuan; {seconds}"
        f"\n  faults struck {dict(sorted(struck.items()))}; killed -9: {dict(Counter(told.killed))}"
        f"\n  {len(letters)} letters, {sum(len(one['attempts']) for one in letters)} deliveries:"
        f" {dict(Counter(one['state'] for one in letters))}; kept with a verdict: {dict(verdicts)}"
        f"\n  statements of {told.day}: {morning.manners_of(told.crowd, told.ledger)};"
        f" settled {settled}"
        f"\n  answers by status {dict(sorted(told.crowd.tally.statuses.items()))}, {told.crowd.tally.cut} cut off"
        f"\n  payments_weather.ending = {ending(told)}\n"
    )


def ending(told: Played) -> str:
    """One word for how it ended for every debt, whatever its ids were this time."""
    debts, kept = told.ledger.debts(), told.ledger.kept()
    subjects = [told.crowd.debts[purse.number] for purse in STORY.purses]
    return plan.fingerprint([(debts.get(one), kept.get(one, 0)) for one in subjects])


def _clearing(sides: money.Sides) -> int:
    return sum(sides.paid.values()) - sum(sides.returned.values())


def test_the_same_seed_tells_the_same_story() -> None:
    assert plan.fingerprint(purses.story(SIZE)) == plan.fingerprint(STORY)
    assert plan.fingerprint(purses.story(SIZE, seed=plan.SEED + 1)) != plan.fingerprint(STORY)


@pytest.mark.parametrize("seed", range(20))
def test_every_story_has_all_that_may_happen(seed: int) -> None:
    drawn: Story = purses.story(SIZE, seed=seed)
    twice = sum(purse.manner in purses.DOUBLE_SHARES for purse in drawn.purses)
    assert len(drawn.purses) + twice == SIZE.payments
    assert len(drawn.returning) + twice == SIZE.refunds
    assert {purse.manner for purse in drawn.purses} == {*purses.MANNERS, *purses.DOUBLE_SHARES}
    assert {(purse.channel, purse.product) for purse in drawn.purses} == set(purses.WAYS)
    assert {purse.office for purse in drawn.purses} == set(purses.OFFICES)
    assert {purse.back.why for purse in drawn.returning if purse.back} == set(purses.WAYS_BACK)
    assert {death.victim for death in (*drawn.deaths_paying, *drawn.deaths_returning)} >= set(EVERY)


def test_the_weather_was_as_bad_as_planned(played: Played) -> None:
    struck = set(played.outside.get("/faults")["struck"])
    assert {"drop", "duplicate", "delay", "forged", "5xx", "5xx_after", "timeout_after"} <= struck
    assert STORY.letters <= struck
    assert played.ledger.ask(morning.ASKED, (played.day,))[0][0] >= 2, "both statements were refused once"
    assert played.killed == [death.victim for death in (*STORY.deaths_paying, *STORY.deaths_returning)]


def test_nothing_is_stuck_when_the_sky_clears(played: Played) -> None:
    assert played.ledger.ask(money.SILENT) == []


def test_both_channels_books_are_ours_to_the_fen(played: Played) -> None:
    ours, wechat, alipay = (
        played.ledger.sides(),
        money.wxpay_sides(played.outside),
        money.alipay_sides(played.outside),
    )
    assert ours.paid == {**wechat.paid, **alipay.paid}
    assert ours.returned == {**wechat.returned, **alipay.returned}
    assert len(ours.paid) == SIZE.payments - sum(not purse.pays for purse in STORY.purses)
    assert len(ours.returned) == SIZE.refunds


def test_the_ledger_holds_what_the_channels_hold(played: Played) -> None:
    balances = played.ledger.balances()
    assert sum(balances.values()) == 0
    paid_out = morning.moved(played.ledger)
    for channel, sides in money.books_of(played.outside).items():
        account = f"clearing:{channel}"
        assert balances.pop(account) - paid_out.pop(account) == _clearing(sides)
    kept: Counter[str] = Counter()
    for purse in STORY.purses:
        kept[f"payee:{purse.office}"] -= purse.kept_fen
    assert {name: fen for name, fen in balances.items() if fen} == {**kept, **paid_out}


def test_every_debt_ends_as_the_story_wants_it(played: Played) -> None:
    assert played.ledger.debts() == money.wanted_debts(played.crowd)
    assert played.ledger.kept() == money.wanted_kept(played.crowd)


def test_every_receipt_says_what_the_payee_kept(played: Played) -> None:
    wanted = {subject: fen for subject, fen in money.wanted_kept(played.crowd).items() if fen}
    assert played.ledger.receipts() == wanted


def test_both_statements_are_reconciled_in_the_morning(played: Played) -> None:
    assert played.ledger.ask(morning.WAITING, (played.day,)) == []


def test_only_the_statement_finds_unheard_money(played: Played) -> None:
    """It is honoured where it is still due, and given back where it is not; no other difference was invented."""
    assert set(played.unheard.values()) == {"closed"}
    assert played.unheard.keys() <= played.missed
    found = [(number, "state_differs", "solved") for number in sorted(played.missed)]
    assert played.ledger.ask(morning.DIFFERENCES) == found
    ends = Counter(morning.unheard(played.crowd, played.ledger).values())
    manners = Counter(purse.manner for purse in STORY.purses)
    assert ends == {"paid": manners[purses.UNHEARD], "refunded": manners[purses.ANEW]}


def test_every_settlement_is_the_channels_own_sum(played: Played) -> None:
    wanted = morning.wanted(played.crowd, played.ledger, played.evening)
    assert {office for _, office in wanted} == set(purses.OFFICES)
    assert morning.settled(played.ledger) == wanted
    assert morning.moved(played.ledger) == morning.moves(wanted)


def test_no_money_and_no_word_counts_twice(played: Played) -> None:
    assert played.ledger.twice() == {}


def test_no_forged_letter_was_ever_believed(played: Played) -> None:
    letters: list[dict[str, Any]] = played.outside.get("/outbox")["letters"]
    forged = [one for one in letters if one["forged"]]
    assert forged
    accepted = Counter(one["forged"] for one in forged if one["state"] == "delivered")
    assert set(accepted) <= {"app", "seller", purses.OTHER_AMOUNT}, (
        "rightly signed: taken, and set aside or held"
    )
    aside = played.ledger.ask("SELECT count(*) FROM store_notice WHERE why = 'it speaks of another merchant'")
    assert aside == [(accepted["app"] + accepted["seller"],)]


def test_the_town_finds_no_fault_with_itself(played: Played, opened: Opened) -> None:
    assert played.killed
    assert "0 findings" in opened.command("check")
