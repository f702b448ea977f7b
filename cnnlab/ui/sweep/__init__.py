"""The page Sweep: its form, and a search at work."""
