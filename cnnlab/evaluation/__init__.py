"""How good answers are, whether a difference is more than chance, and how much worse images cost."""
