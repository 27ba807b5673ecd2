"""The schema's history, and the commands that bring a database to its head."""
