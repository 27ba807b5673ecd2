"""Our own riders and postal points: an order only has to be written down, and their news comes through our window."""

from backend.contracts import Notice
from courier.carriers.port import Known, PickupOrder, Placed, Waybill


class OwnRiders:
    """The pool of riders. Nothing is asked outside, so nothing can be unknown."""

    name = "own_riders"

    def order_pickup(self, order: PickupOrder) -> Placed:
        """Put the task into the pool."""
        return Placed(carrier_order_no=order.code)

    def cancel(self, order_code: str, reason: str) -> None:
        """Take the task out of the pool: that the parcel is cancelled says it all."""

    def order_known(self, order_code: str) -> Known:
        """Every order written down is in the pool."""
        return Known(Placed(carrier_order_no=order_code))

    def query(self, waybill: Waybill) -> Notice | None:
        """Riders tell their news themselves."""
        return None
