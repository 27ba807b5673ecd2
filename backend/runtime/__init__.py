"""Flask and Celery plumbing. No business lives here."""
