"""The campaign registry: who may send to North America, in both spellings of SignalWire's."""
