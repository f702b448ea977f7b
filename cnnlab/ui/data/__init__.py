"""The page Data: adding pictures, and what is in a data set."""

PLACE = "data"  # where the result of the last action is shown
