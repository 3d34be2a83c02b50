"""The only composition root: `node` builds every part of a node and lives its life; `surface` is what it serves."""

from parley.app.node import SEED_NUMBERS, SHARED_KEY, App
from parley.app.surface import VERSION

__all__ = ["SEED_NUMBERS", "SHARED_KEY", "VERSION", "App"]
