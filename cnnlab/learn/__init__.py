"""What the chapters of Learn compute: every number by running PyTorch."""
