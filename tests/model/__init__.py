"""Tests of parley.model."""
