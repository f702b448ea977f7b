"""Drawings: strokes, photos and picture files, and the pixels that networks take."""
