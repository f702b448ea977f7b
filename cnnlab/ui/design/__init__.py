"""The page Design: a network built layer by layer, and what each choice costs."""
