"""Where carriers reach us: POST /callbacks/courier/<carrier>."""

from collections.abc import Sequence

from flask import Blueprint, Request

from backend.contracts import Notice
from backend.runtime.callbacks import Reply, blueprint
from courier import carriers
from courier.services.settling import settle


class KdniaoEar:
    """Finds its carrier when it is called, so that the town plan can be read without any keys."""

    name = "kdniao"

    def read_notices(self, request: Request, body: bytes) -> Sequence[Notice]:
        return carriers.kdniao().read_notices(request, body)

    def acknowledge(self, *, accepted: bool) -> Reply:
        return carriers.kdniao().acknowledge(accepted=accepted)


def callbacks_blueprint() -> Blueprint:
    """What the town plan opens under /callbacks/courier."""
    return blueprint("courier", (("kdniao", KdniaoEar(), settle),))
