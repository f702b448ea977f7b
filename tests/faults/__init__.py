"""Faults made on purpose, and how many of them are survived: ``make faults`` for all, the tests for a few."""
