"""Experiments and calculations behind the chapters of Learn; PyTorch computes every number."""
