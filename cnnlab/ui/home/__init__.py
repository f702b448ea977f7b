"""Home: a trained network to touch before anything is read."""
