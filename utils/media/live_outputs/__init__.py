"""Results for other programs while they are made: webhook, WebSocket, Lab Streaming Layer."""
