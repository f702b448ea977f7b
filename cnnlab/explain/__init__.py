"""What a trained network learned (weights), sees (activations), why it answers (attribution), how it sorts (embedding).

Everything here takes a network of its own, rebuilt from saved weights, and leaves it as it was.
"""
