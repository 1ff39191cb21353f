"""The HTTP and WebSocket service; ``backend/api.py`` starts it."""
