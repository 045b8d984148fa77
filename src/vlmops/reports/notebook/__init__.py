"""What notebooks show of samples, answers and experiments; the records call it themselves."""
