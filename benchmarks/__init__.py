"""What is measured and written into docs/: the engine against tutorials, pages, screenshots; each a script."""
