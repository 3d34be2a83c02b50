"""The two engines: each runs the store's operations and commits what arrived together in one transaction."""
