"""Labelled data: datasets, FER+ votes, near-duplicates, corruptions, preparation."""
