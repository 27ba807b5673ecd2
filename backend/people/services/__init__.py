"""Verbs of the register: whoever enters, proves, registers, works here, carries, or looks."""
