"""Metrics of predictions, significance of differences, and robustness to corrupted images."""
