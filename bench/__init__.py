"""What a message costs: load, yardstick and report, run by `python -m bench`."""
