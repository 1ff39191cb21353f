"""Models compared: two of them, all architectures, all changes of a training recipe."""
