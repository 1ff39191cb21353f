"""Figures as HTML and SVG without scripts, for the app and for reports."""
