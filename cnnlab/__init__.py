"""CNN Lab: train small convolutional networks, watch them learn, and see what they learned."""

__version__ = "0.1.0"
