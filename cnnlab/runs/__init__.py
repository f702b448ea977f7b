"""What a training leaves on disk, and everything that reads it."""
