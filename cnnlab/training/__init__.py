"""Training: from a RunConfig to events, the device it runs on, and checkpoints to continue from."""
