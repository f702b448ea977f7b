"""From a RunConfig to events: the loop, what it runs on, and where it continues after an interruption."""
