"""What a training will come to, told before it starts from earlier ones, and how right such forecasts were."""
