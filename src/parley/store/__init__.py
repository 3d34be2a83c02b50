"""The durable record: the only place with SQL. Operations are generators of statements that either engine runs."""
