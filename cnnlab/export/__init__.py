"""A run for elsewhere: as a program of its own, for TensorBoard, for MLflow."""
