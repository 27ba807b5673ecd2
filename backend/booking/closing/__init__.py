"""Closing days and slots, and finding another time for everybody affected."""
