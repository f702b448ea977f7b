"""The page Data: adding pictures, and what is in a data set."""
