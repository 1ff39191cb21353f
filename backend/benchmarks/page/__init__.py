"""The live page in a real browser, as its viewers see it."""
