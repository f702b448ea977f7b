"""What a trained network learned and sees, why it answers so and how it sorts: a module for each way to look.

Everything here takes a network of its own, rebuilt from saved weights, and leaves it as it was.
"""
