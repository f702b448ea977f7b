"""The page Class: what an assignment asks, its board, digits that everyone draws, and what teachers do there."""
