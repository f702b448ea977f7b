"""The page Train: the form, the curves of a training run, and the actions afterwards."""
