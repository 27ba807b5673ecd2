"""The town hall: registers, offices and the plumbing they share (see docs/floor-plan.md)."""
