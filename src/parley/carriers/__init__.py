"""Ways of moving messages; each sees only the carrier contract, the model and the library."""
