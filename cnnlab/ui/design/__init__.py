"""The page Design: an editor for networks, layer by layer, with the cost of each choice."""
