"""The limit of the web side: a Flask route that does nothing, under the same server, workers and threads."""

from flask import Flask

app = Flask("bare")


@app.get("/bare")
def bare() -> dict[str, str]:
    return {"status": "bare"}
