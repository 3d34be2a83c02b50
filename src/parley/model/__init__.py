"""Frozen values and state machines of the domain, without I/O."""
