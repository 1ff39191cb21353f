"""Parts of the live page: the camera's video, recording, markers, what other programs receive."""
