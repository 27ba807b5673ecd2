"""`make bench [ONLY=a,b]`: run the benchmarks and write benchmarks/results/latest.json."""

import argparse
import sys
from collections.abc import Callable

from benchmarks import (
    booking_month,
    case_submission,
    frame,
    payment_callbacks,
    payment_heal,
    progress_lookup,
    reconcile,
    slot_rush,
)
from benchmarks.frame import Report
from benchmarks.stage import Stage, stage

ENTRIES: dict[str, Callable[[Stage, Report], None]] = {
    "progress_lookup": progress_lookup.run,
    "case_submission": case_submission.run,
    "slot_rush": slot_rush.run,
    "booking_month": booking_month.run,
    "payment_callbacks": payment_callbacks.run,
    "payment_heal": payment_heal.run,
    "reconcile": reconcile.run,
}


def main() -> int:
    """Run the wanted entries on one stage, one after the other."""
    parser = argparse.ArgumentParser("benchmarks", description=__doc__)
    parser.add_argument("--only", default="", help="entries, separated by commas")
    wanted = [name for name in parser.parse_args().only.split(",") if name] or list(ENTRIES)
    if unknown := [name for name in wanted if name not in ENTRIES]:
        print(f"no benchmark is called {', '.join(unknown)}; there are {', '.join(ENTRIES)}", file=sys.stderr)
        return 2
    reports = []
    with stage() as place:
        for name in wanted:
            print(name, flush=True)
            report = Report(name)
            ENTRIES[name](place, report)
            reports.append(report)
    frame.keep(reports)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
