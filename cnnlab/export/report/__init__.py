"""A run, or several side by side, as one HTML page to read, print and keep: it asks for nothing and runs no script."""
