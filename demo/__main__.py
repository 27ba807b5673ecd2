"""Play the journeys in the open town; ends non-zero at the first difference."""

import sys

import requests

from backend.kernel import clock
from demo import exam_by_draw, money_back, new_home, parking_fine, vehicle_licence
from demo.story import Differs
from demo.world import World, opened, to_office_hours

JOURNEYS = {
    "new_home": new_home,
    "vehicle_licence": vehicle_licence,
    "parking_fine": parking_fine,
    "exam_by_draw": exam_by_draw,
    "money_back": money_back,
}


def main(wanted: list[str]) -> int:
    """Play the wanted journeys (all without a word); afterwards the clock is back in the present."""
    if unknown := [name for name in wanted if name not in JOURNEYS]:
        print(f"no journey is called {', '.join(unknown)}; there are {', '.join(JOURNEYS)}", file=sys.stderr)
        return 2
    try:
        world = opened()
        for name in wanted or JOURNEYS:
            _play(world, name)
    except (Differs, requests.RequestException) as trouble:
        print(f"\nthe demo ends here: {trouble}", file=sys.stderr)
        return 1
    print("\nall journeys came to their end")
    return 0


def _play(world: World, name: str) -> None:
    clock.reset()
    to_office_hours()
    try:
        JOURNEYS[name].play(world)
    finally:
        clock.reset()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
