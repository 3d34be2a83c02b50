"""Servers that are killed without warning, and the search for what that lost: run by `python -m tests.crash`."""
