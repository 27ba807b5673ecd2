"""The story of the payments: who owes what, how each of them pays, what goes back, and what befalls it all."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tests.weather import plan
from tests.weather.plan import Death, Fault

CHANNELS = ("wechat_pay", "alipay")
CASE_FEE_FEN = 1000
MANNERS = {"returns": 40, "closes": 40, "leaves": 6, "past expiry": 6, "after the closing": 8, "unheard": 3}
"""returns: and asks. closes: the page. leaves: without paying. past expiry: nobody can tell us of the money before
the payment's time is over. after the closing: the money of a closed payment comes."""
UNHEARD = "unheard"
"""As after the closing, but nobody ever pushes a word of it: only the channel's statement tells."""
TWICE, ANEW = "twice", "pays anew"
DOUBLE_SHARES = {TWICE: 0.08, ANEW: 0.02}
"""Who pays two times, on both channels; so many of all payments are the second one of somebody. twice: at once.
anew: when the first is closed; then the money of the first comes all the same, unheard."""
CLOSED_FIRST = ("after the closing", UNHEARD, ANEW)
ONLY_THE_BILL_KNOWS = (UNHEARD, ANEW)
OFFICES = {"BZ-GA": 70, "BZ-GT": 30}
CASES_AT = "BZ-GA"
MINI, H5 = "mini", "h5"
WAYS = {("wechat_pay", MINI): 35, ("alipay", MINI): 35, ("wechat_pay", H5): 15, ("alipay", H5): 15}
"""h5: in a browser; it has no page left to pay on when the payment is closed."""
FETCHING = {"wechat_pay": ("tradebill", "download"), "alipay": ("bill",)}
WEATHER = {"fair": 35, "drop": 20, "duplicate": 10, "delay": 10, "past expiry": 8, "reorder": 7, "forged": 10}
CALLS = {"fair": 80, "5xx": 6, "5xx_after": 6, "slow": 4, "timeout": 2, "timeout_after": 2}
FORGERIES = {
    "wechat_pay": ("signature", "stale", "serial", "signtest"),
    "alipay": ("signature", "app", "seller"),
}
OTHER_AMOUNT = "amount"
"""Only of a payment: rightly signed, but another sum; the channel corrects itself with the next letter."""
WAYS_BACK = {"office": 20, "office in part": 25, "asked": 15, "asked in part": 15, "withdrawn": 25}
"""office: staff give it back. asked: the payer asks, and the finance office says yes. withdrawn: so was the case."""
VERBS = {
    "wechat_pay": {"prepare": "prepare", "query": "query", "news": "transaction", "refund": "refund"},
    "alipay": {"prepare": "create", "query": "query", "news": "trade", "refund": "refund"},
}


@dataclass(frozen=True, slots=True)
class Size:
    """How many payments are begun and how many go back, by how many payers, so many at once, and who is killed."""

    payments: int
    refunds: int
    payers: int
    threads: int
    dying_while_paying: tuple[str, ...]
    dying_while_returning: tuple[str, ...]
    healing_s: float


@dataclass(frozen=True, slots=True)
class Back:
    """A way back of money: whose idea it is, how much (None: all), and what befalls the refund."""

    why: str
    amount_fen: int | None
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Purse:
    """One debt of one payer and its whole story."""

    number: int
    payer: int
    debt: str
    office: str
    amount_fen: int
    channel: str
    product: str
    manner: str
    preparing: tuple[Fault, ...]
    paying: tuple[Fault, ...]
    back: Back | None

    @property
    def pays(self) -> bool:
        return self.manner != "leaves"

    @property
    def other_channel(self) -> str:
        return CHANNELS[1 - CHANNELS.index(self.channel)]

    @property
    def kept_fen(self) -> int:
        """What the payee has of it in the end."""
        if not self.pays:
            return 0
        back = 0 if self.back is None else self.back.amount_fen or self.amount_fen
        return self.amount_fen - back


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that will happen."""

    size: Size
    purses: tuple[Purse, ...]
    deaths_paying: tuple[Death, ...]
    deaths_returning: tuple[Death, ...]
    fetching: tuple[tuple[str, Fault], ...]
    """What befalls each channel's statement when it is fetched first."""

    @property
    def letters(self) -> set[str]:
        """Kinds of what befalls the letters about money that comes."""
        news = {verbs["news"] for verbs in VERBS.values()}
        return {
            fault.kind for purse in self.purses for fault in purse.paying if purse.pays and fault.verb in news
        }

    @property
    def returning(self) -> tuple[Purse, ...]:
        return tuple(purse for purse in self.purses if purse.back)


def story(size: Size, seed: int = plan.SEED) -> Story:
    """Draw the whole story."""
    dice = plan.dice("payments", seed=seed)
    manners = _manners(dice, size)
    news = plan.deal(dice, len(manners), WEATHER)
    preparing, returning = (plan.deal(dice, len(manners), CALLS) for _ in range(2))
    backs, ways = _backs(dice, size, manners), _ways(dice, manners)
    calls = zip(preparing, returning, strict=True)
    drawn = enumerate(zip(manners, ways, news, calls, backs, strict=True))
    purses = tuple(_purse(dice, number, number % size.payers, *cards) for number, cards in drawn)
    return Story(
        size,
        purses,
        plan.deaths(dice, size.dying_while_paying, len(purses)),
        plan.deaths(dice, size.dying_while_returning, sum(map(bool, backs))),
        tuple((channel, Fault(dice.choice(verbs), "5xx")) for channel, verbs in FETCHING.items()),
    )


def _manners(dice: random.Random, size: Size) -> list[str]:
    """As many debts as make `size.payments` together with the second payments of those who pay twice."""
    double = [
        manner for manner, share in DOUBLE_SHARES.items() for _ in range(max(1, round(size.payments * share)))
    ]
    manners = plan.deal(dice, size.payments - 2 * len(double), MANNERS) + double
    dice.shuffle(manners)
    return manners


def _backs(dice: random.Random, size: Size, manners: Sequence[str]) -> list[str]:
    """Whose money goes back, and how; the surplus of those who pay two times counts among the refunds."""
    surplus = sum(manner in DOUBLE_SHARES for manner in manners)
    paid = [
        number
        for number, manner in enumerate(manners)
        if manner != "leaves" and manner not in ONLY_THE_BILL_KNOWS
    ]
    chosen = dice.sample(paid, size.refunds - surplus)
    ways = dict(zip(chosen, plan.deal(dice, len(chosen), WAYS_BACK), strict=True))
    return [ways.get(number, "") for number in range(len(manners))]


def _ways(dice: random.Random, manners: Sequence[str]) -> list[tuple[str, str]]:
    """Over which channel each pays first, and in the app or in a browser."""
    in_app = [manner in DOUBLE_SHARES or manner in CLOSED_FIRST for manner in manners]
    ways = iter(plan.deal(dice, in_app.count(False), WAYS))
    return [(dice.choice(CHANNELS), MINI) if app else next(ways) for app in in_app]


def _purse(
    dice: random.Random, number: int, payer: int, manner: str, way: tuple[str, str], news: str,
    calls: tuple[str, str], back: str,
) -> Purse:  # fmt: skip
    debt = "case" if back == "withdrawn" or (not back and dice.random() < 0.1) else "bill"
    amount = CASE_FEE_FEN if debt == "case" else dice.randint(101, 19_999)
    channel, product = way
    verbs = VERBS[channel]
    office = CASES_AT if debt == "case" else plan.one_of(dice, OFFICES)
    return Purse(
        number=number,
        payer=payer,
        debt=debt,
        office=office,
        amount_fen=amount,
        channel=channel,
        product=product,
        manner=manner,
        preparing=_calls(verbs["prepare"], calls[0]) if product == MINI else (),
        paying=_while_paying(dice, channel, manner, news),
        back=_back(dice, channel, back, amount, calls[1]) if back else None,
    )


def _while_paying(dice: random.Random, channel: str, manner: str, news: str) -> tuple[Fault, ...]:
    verbs = VERBS[channel]
    if manner == "past expiry":
        silent = (Fault(verbs["query"], "5xx"),) * 6
        return (Fault(verbs["news"], "delay", plan.FOR_EVER_S), *silent)
    if manner in ONLY_THE_BILL_KNOWS:
        return (Fault(verbs["news"], "drop"),)
    if manner == "after the closing" and news == "drop":
        news = "duplicate"  # nobody asks about a closed payment: only the channel's bill would tell
    asked = (Fault(verbs["query"], "5xx"),) if dice.random() < 0.1 else ()
    letters = _letters(dice, channel, verbs["news"], news)
    if news == "forged" and dice.random() < 0.3:
        letters = (Fault(verbs["news"], "forged", code=OTHER_AMOUNT),)
    return (*letters, *asked)


def _back(dice: random.Random, channel: str, way: str, amount: int, call: str) -> Back:
    verb = VERBS[channel]["refund"]
    part = dice.randint(1, amount - 1) if way.endswith("in part") else None
    news = plan.deal(dice, 1, {dice.choice(list(WEATHER)): 1.0})[0]
    return Back(way, part, (*_calls(verb, call), *_letters(dice, channel, verb, news)))


def _calls(verb: str, kind: str) -> tuple[Fault, ...]:
    if kind == "fair":
        return ()
    if kind == "slow":
        return (Fault(verb, "timeout_after", 2.0),)
    return (Fault(verb, kind, plan.HANG_S if kind.startswith("timeout") else 0.0),)


def _letters(dice: random.Random, channel: str, verb: str, kind: str) -> tuple[Fault, ...]:
    if kind == "fair":
        return ()
    if kind == "past expiry":
        return (Fault(verb, "delay", plan.FOR_EVER_S),)
    if kind == "delay":
        return (Fault(verb, "delay", round(dice.uniform(1, 6), 2)),)
    return (Fault(verb, kind, 5.0, dice.choice(FORGERIES[channel]) if kind == "forged" else ""),)
