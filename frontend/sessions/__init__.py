"""Parts of the Sessions page."""
