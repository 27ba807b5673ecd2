"""Places released by queue or by draw, with the proof that it was fair."""
