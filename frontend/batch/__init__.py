"""The parts of the batch page: the analysis, the table of faces, a picture of it."""
