"""Runs: the files that a training leaves on disk, and everything that reads them."""
