"""Whether a run is what it says: its figures computed again, its training executed again, bit for bit."""
