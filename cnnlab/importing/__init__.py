"""Networks from elsewhere: a file becomes a layer list with weights, is checked, and is kept as a run."""
