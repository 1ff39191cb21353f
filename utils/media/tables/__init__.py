"""Results as tables and documents: their rows, their writers, and how a run is resumed."""
