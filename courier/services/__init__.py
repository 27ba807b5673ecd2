"""Verbs of the courier bureau, one file per stretch of a parcel's way."""
