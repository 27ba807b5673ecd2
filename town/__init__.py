"""Town tooling: makes the environment, opens the town on one machine and closes it again.

Nothing in here is part of the product. The Makefile calls these modules; nothing else needs to.
"""
