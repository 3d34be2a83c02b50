"""Twilio's REST API over the core."""
