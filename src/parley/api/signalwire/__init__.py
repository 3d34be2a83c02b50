"""SignalWire's REST API over the core."""
