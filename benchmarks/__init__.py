"""Scripts that measure the engine against tutorials and the pages, and write results and screenshots into docs/."""
