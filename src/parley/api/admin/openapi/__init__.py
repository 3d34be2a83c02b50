"""The description of Parley's own surface: `document` makes it, from the tables beside it."""
