"""How each database is driven: connections, group commit, wake-up."""
