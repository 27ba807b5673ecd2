"""Seeds an open town for a rush: run as a module with the town's own settings, it prints what it made as JSON."""

import json
import sys
from dataclasses import asdict

import wsgi  # noqa: F401  # binds the store to the town's database and keys
from benchmarks import hall, seeding


def main() -> None:
    """Arguments: how many citizens, slots, and places in each."""
    citizens, slots, places = map(int, sys.argv[1:4])
    hall.open_halls()
    seeding.execute(hall.slots_sql("rush", slots, places))
    people = [asdict(one) for one in seeding.citizens(citizens)]
    sys.stdout.write(json.dumps({"citizens": people, "slots": hall.slots_of("rush", slots)}))


if __name__ == "__main__":
    main()
