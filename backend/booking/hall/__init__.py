"""The hall of the day: numbers, calls, windows, desks, screens."""
