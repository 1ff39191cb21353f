"""Widgets that several pages share: notices, cards, charts and the progress of a job."""
