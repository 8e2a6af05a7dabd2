"""The parts of the lane's screen; each shows what it was given and knows nothing else."""
