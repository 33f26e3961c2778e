"""Sockets and readiness: the driver of the engine."""
