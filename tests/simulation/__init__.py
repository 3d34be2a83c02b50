"""The core, whole, over a simulated world: a history follows from its seed alone, so that a failure is a seed."""
