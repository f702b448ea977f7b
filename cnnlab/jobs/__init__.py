"""Background work: trainings, sweeps, fine-tuning, and the queue they wait in."""
