"""Weights that networks start from: published ones, and those of one's own runs."""
