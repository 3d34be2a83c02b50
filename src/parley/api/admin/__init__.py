"""Health, metrics, the simulator's control API and the whole record of a message."""
