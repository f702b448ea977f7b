"""The page for visitors: a network that answers, and nothing else."""
