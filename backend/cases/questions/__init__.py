"""Questions to the house; they change nothing."""
