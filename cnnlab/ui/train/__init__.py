"""The page Train: the form, the curves of a run at work, what can be done with it afterwards."""
