"""Verbs of the house; every one runs in the caller's unit unless it says otherwise."""
