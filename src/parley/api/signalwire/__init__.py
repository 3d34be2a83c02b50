"""SignalWire's REST API and webhooks over the core."""
