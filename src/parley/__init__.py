"""Parley: a self-hosted programmable-messaging server."""
