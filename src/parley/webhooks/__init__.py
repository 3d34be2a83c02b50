"""Events out: rendering, signing, delivery, and what the answer means."""
