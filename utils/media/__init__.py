"""Pictures, video, camera, drawing, tables, writers and sessions: bytes, arrays and files."""
