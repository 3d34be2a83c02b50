"""SignalWire's Relay: JSON-RPC over WebSocket, in both of its generations."""
