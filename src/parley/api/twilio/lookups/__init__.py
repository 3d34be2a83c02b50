"""Lookups: what a number tells by itself. Nobody else is asked, so carriers and callers have no names here."""
