"""Tests of parley.lib."""
