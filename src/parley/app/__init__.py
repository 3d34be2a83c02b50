"""The only composition root.

`parts` is what a node is made of, `node` its life, `surface` what it serves, `terms` what the settings say.
"""

from parley.app.node import SEED_NUMBERS, App
from parley.app.surface import VERSION

__all__ = ["SEED_NUMBERS", "VERSION", "App"]
