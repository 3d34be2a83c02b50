"""Simulated calls, and what SWML does in them."""
