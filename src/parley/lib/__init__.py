"""The bottom layer: pure building blocks that know nothing of messages, accounts or storage."""
