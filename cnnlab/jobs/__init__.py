"""What runs in the background: trainings, sweeps, fine-tuning, and the queue they wait in."""
