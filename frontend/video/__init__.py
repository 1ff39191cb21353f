"""Parts of the Video page."""
