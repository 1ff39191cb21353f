"""Programs that measure a constant of the library, or convert published weights."""
