"""One file per page; ``frontend/app.py`` lists them."""
