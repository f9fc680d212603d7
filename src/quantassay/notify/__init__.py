"""Tells people: messages wait in an outbox, and are delivered by channel."""
