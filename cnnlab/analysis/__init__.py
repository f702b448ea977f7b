"""Analyses of a trained network: weights, activations, attributions, features, mistakes; one module each.

Everything here takes a network of its own, rebuilt from saved weights, and leaves it as it was.
"""
