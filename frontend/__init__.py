"""The web app: widgets and layout; all computer vision lives in ``utils``."""
