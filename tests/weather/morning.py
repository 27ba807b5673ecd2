"""The morning after: what the channels' statements must say of the story's money, reckoned from their own books."""

from collections import Counter
from collections.abc import Mapping

from tests.weather.lines import Outside
from tests.weather.money import Ledger, Sides
from tests.weather.payers import PROVIDER, Crowd
from tests.weather.purses import ONLY_THE_BILL_KNOWS

FEE_PPM = 6000
"""What the channels keep of each payment: 0.6 %."""
WAITING = """
    SELECT channel FROM (VALUES ('wechat_pay'), ('alipay')) c (channel)
    WHERE NOT EXISTS (SELECT FROM payments_statement s
        WHERE s.channel = c.channel AND s.day = %s::date AND s.state = 'reconciled')
    UNION ALL SELECT id FROM payments_statement WHERE state <> 'reconciled'
"""
DIFFERENCES = "SELECT number, kind, state FROM payments_difference ORDER BY 1"
ASKED = "SELECT min(asked) FROM payments_statement WHERE day = %s::date"
_SUBJECTS = """
    SELECT number, subject FROM payments_payment
    UNION ALL SELECT r.number, p.subject FROM payments_refund r JOIN payments_payment p ON p.id = r.payment_id
"""
_SETTLEMENTS = """
    SELECT channel, payee, sum(paid_fen)::bigint, sum(returned_fen)::bigint, sum(fee_fen)::bigint,
        sum(net_fen)::bigint
    FROM payments_settlement GROUP BY 1, 2
"""
_MOVED = """
    SELECT account, sum(amount_fen)::bigint FROM payments_ledger_entry WHERE movement LIKE '%:settled' GROUP BY 1
"""
_ABOUT = """
    SELECT d.kind, p.channel, p.product, p.subject
    FROM payments_difference d JOIN payments_payment p ON p.id = d.payment_id
    ORDER BY d.number
"""
_UNHEARD = "SELECT number, state FROM payments_payment WHERE id = ANY(%s)"
Settled = dict[tuple[str, str], tuple[int, int, int, int]]
"""By channel and department: paid, returned, fee, net."""


def want_fees(outside: Outside) -> None:
    """From now on the channels keep something of each payment."""
    outside.post("/preferences", {f"{name}_fee_ppm": FEE_PPM for name in PROVIDER.values()})


def wanted(crowd: Crowd, ledger: Ledger, books: Mapping[str, Sides]) -> Settled:
    """What each department must be settled for by each channel, by the channels' books of the evening."""
    office = {crowd.debts[purse.number]: purse.office for purse in crowd.story.purses}
    offices = {number: office[subject] for number, subject in ledger.ask(_SUBJECTS)}
    sums: dict[tuple[str, str], Counter[str]] = {}
    for channel, sides in books.items():
        for number, fen in sides.paid.items():
            sums.setdefault((channel, offices[number]), Counter()).update(paid=fen, fee=_fee(fen))
        for number, fen in sides.returned.items():
            sums.setdefault((channel, offices[number]), Counter()).update(returned=fen, fee=-_fee(fen))
    return {
        key: (one["paid"], one["returned"], one["fee"], one["paid"] - one["returned"] - one["fee"])
        for key, one in sums.items()
    }


def settled(ledger: Ledger) -> Settled:
    """What the town has settled."""
    return {(channel, payee): (*sums,) for channel, payee, *sums in ledger.ask(_SETTLEMENTS)}


def moves(of: Settled) -> dict[str, int]:
    """What settlements like these move between the accounts."""
    moved: Counter[str] = Counter()
    for (channel, department), (_, _, fee, net) in of.items():
        moved.update({f"bank:{department}": net, f"fee:{channel}": fee, f"clearing:{channel}": -net - fee})
    return {account: fen for account, fen in moved.items() if fen}


def moved(ledger: Ledger) -> dict[str, int]:
    """What the ledger moved for settlements."""
    return dict(ledger.ask(_MOVED))


def unheard(crowd: Crowd, ledger: Ledger) -> dict[str, str]:
    """States, by number, of the payments whose money nobody ever pushed a word of."""
    mine = [
        crowd.begun[purse.number][0]["payment_id"]
        for purse in crowd.story.purses
        if purse.manner in ONLY_THE_BILL_KNOWS
    ]
    return dict(ledger.ask(_UNHEARD, (mine,)))


def manners_of(crowd: Crowd, ledger: Ledger) -> list[tuple[str, ...]]:
    """Of every difference: its kind, channel and product, and the manner of whose payment it is about."""
    manner = {crowd.debts[purse.number]: purse.manner for purse in crowd.story.purses}
    return [(*told, manner[subject]) for *told, subject in ledger.ask(_ABOUT)]


def _fee(fen: int) -> int:
    return (fen * FEE_PPM + 500_000) // 1_000_000
