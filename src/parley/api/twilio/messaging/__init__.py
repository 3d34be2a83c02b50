"""Twilio's product messaging, v1 and v2: services and their senders, registration, short links."""
