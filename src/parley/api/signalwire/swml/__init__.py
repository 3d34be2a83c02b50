"""SWML: documents that say what to do, read and carried out."""
