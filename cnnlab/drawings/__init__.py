"""Pen and paper: from strokes, photos and picture files to the pixels that a network takes."""
