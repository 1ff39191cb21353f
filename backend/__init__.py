"""Programs for the terminal and the service: they parse arguments, call utils and print."""
