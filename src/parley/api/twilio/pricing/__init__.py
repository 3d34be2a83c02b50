"""Pricing: what messages cost, by the table that they are charged by."""
