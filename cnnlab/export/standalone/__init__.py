"""Modules of plain Python whose source goes into files that leave the lab: they import nothing but each other."""
