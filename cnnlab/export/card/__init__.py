"""A network's card: what it is, what it learned from, how well it answers, and what nobody tested."""
