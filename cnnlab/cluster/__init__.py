"""Trainings on other machines: a Ray cluster whose processes train while this one keeps the runs."""
