"""What the world calls: the dialects, and the HTTP they share."""
