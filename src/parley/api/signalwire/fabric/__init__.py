"""Fabric: resources that numbers are led to, as far as messages go through them."""
