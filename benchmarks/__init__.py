"""Figures of the town, as ratios against limits of the same machine measured in the same run."""
