"""Rows of the courier bureau: parcels, what is in them, orders placed, traces heard, hand-overs."""

from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, Identity, Index, Integer, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.store import rotation
from backend.store.base import AwareDateTime, Base
from backend.store.unit import map_constraint
from courier.problems import PickupAlreadyOpen

OPEN_PICKUP = "uq_courier_parcel_open_pickup"


class ParcelRow(Base):
    """One parcel. `contact` is the citizen's side as written on the label, kept only while it is needed."""

    __tablename__ = "courier_parcel"
    __retention__ = "case file: archive rules; the contact 7 days after the end"
    __table_args__ = (
        Index(
            OPEN_PICKUP,
            "matter",
            unique=True,
            postgresql_where=text("purpose = 'materials' AND state IN ('created', 'ordered', 'assigned')"),
        ),
        Index("ix_courier_parcel_matter", "matter"),
        Index("ix_courier_parcel_person_id", "person_id"),
        Index("ix_courier_parcel_department_id", "department_id", "id"),
        Index("ix_courier_parcel_rider_id", "rider_id", postgresql_where=text("rider_id IS NOT NULL")),
        Index("ix_courier_parcel_waybill_no", "waybill_no"),
        Index("ix_courier_parcel_moving", "state", postgresql_where=text("closed_at IS NULL")),
        Index("ix_courier_parcel_closed_at", "closed_at", postgresql_where=text("closed_at IS NOT NULL")),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    matter: Mapped[str] = mapped_column(String(40))
    person_id: Mapped[str] = mapped_column(String(40))
    department_id: Mapped[str | None] = mapped_column(String(40))
    direction: Mapped[str] = mapped_column(String(8))
    purpose: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(20))
    carrier: Mapped[str] = mapped_column(String(20))
    address_id: Mapped[str | None] = mapped_column(String(40))
    contact: Mapped[bytes | None] = mapped_column(LargeBinary)
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    order_code: Mapped[str | None] = mapped_column(String(40))
    shipper: Mapped[str | None] = mapped_column(String(20))
    waybill_no: Mapped[str | None] = mapped_column(String(40))
    rider_id: Mapped[str | None] = mapped_column(String(40))
    needs_holder: Mapped[bool] = mapped_column(Boolean, default=False)
    wish_key: Mapped[str | None] = mapped_column(String(128))
    cancel_reason: Mapped[str | None] = mapped_column(String(60))
    receipt_doubt: Mapped[str | None] = mapped_column(String(20))
    send_back: Mapped[bool] = mapped_column(Boolean, default=False)
    fee_fen: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(AwareDateTime())
    changed_at: Mapped[datetime] = mapped_column(AwareDateTime())
    packed_at: Mapped[datetime | None] = mapped_column(AwareDateTime())
    ordered_at: Mapped[datetime | None] = mapped_column(AwareDateTime())
    collected_at: Mapped[datetime | None] = mapped_column(AwareDateTime())
    delivered_at: Mapped[datetime | None] = mapped_column(AwareDateTime())
    heard_at: Mapped[datetime | None] = mapped_column(AwareDateTime())
    polled_at: Mapped[datetime | None] = mapped_column(AwareDateTime())
    warned_at: Mapped[datetime | None] = mapped_column(AwareDateTime())
    closed_at: Mapped[datetime | None] = mapped_column(AwareDateTime())


class PieceRow(Base):
    """One document in a parcel: packed, received, missing, extra or returned; never unaccounted."""

    __tablename__ = "courier_piece"
    __retention__ = "as long as its parcel"
    __table_args__ = (Index("ix_courier_piece_parcel_id", "parcel_id"),)

    id: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True)
    parcel_id: Mapped[str] = mapped_column(ForeignKey("courier_parcel.id"))
    name: Mapped[str] = mapped_column(String(80))
    copies: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(10))
    note: Mapped[str] = mapped_column(String(200), default="")
    origin_id: Mapped[int | None] = mapped_column(ForeignKey("courier_piece.id"))


class OrderRow(Base):
    """One attempt to order a carrier, under a code that is never used twice.

    `state`: asking (the question is on its way), unknown (no answer came), placed, cancelling, refused, dropped.
    `asked_at` is real time: a moved business clock must not make a call look lost.
    """

    __tablename__ = "courier_order"
    __retention__ = "as long as its parcel"
    __table_args__ = (
        Index("ix_courier_order_parcel_id", "parcel_id"),
        Index(
            "ix_courier_order_open",
            "state",
            "asked_at",
            postgresql_where=text("state IN ('asking', 'unknown', 'cancelling')"),
        ),
    )

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    parcel_id: Mapped[str] = mapped_column(ForeignKey("courier_parcel.id"))
    number: Mapped[int] = mapped_column(Integer)
    carrier: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(12))
    asked_at: Mapped[datetime] = mapped_column(AwareDateTime())
    carrier_order_no: Mapped[str | None] = mapped_column(String(60))
    answer: Mapped[str] = mapped_column(Text, default="")


class TraceRow(Base):
    """One trace heard. The id is parcel + digest of time and text, so the same trace is kept once."""

    __tablename__ = "courier_trace"
    __retention__ = "90 days after the end of its parcel"
    __table_args__ = (Index("ix_courier_trace_parcel_id", "parcel_id", "happened_at"),)

    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    parcel_id: Mapped[str] = mapped_column(ForeignKey("courier_parcel.id"))
    attempt: Mapped[int] = mapped_column(Integer)
    trigger: Mapped[str] = mapped_column(String(20))
    source: Mapped[str] = mapped_column(String(20))
    happened_at: Mapped[datetime] = mapped_column(AwareDateTime())
    heard_at: Mapped[datetime] = mapped_column(AwareDateTime())
    text: Mapped[bytes] = mapped_column(LargeBinary)
    place: Mapped[str] = mapped_column(String(60), default="")
    receipt: Mapped[str] = mapped_column(String(12), default="")


class HandoverRow(Base):
    """The present hand-over code of a parcel, the wrong tries, and to whom it was given.

    The code itself is nowhere: it is computed from `seed` with a key that is not in the database.
    """

    __tablename__ = "courier_handover"
    __retention__ = "as long as its parcel"

    parcel_id: Mapped[str] = mapped_column(ForeignKey("courier_parcel.id"), primary_key=True)
    seed: Mapped[str | None] = mapped_column(String(60))
    good_until: Mapped[datetime] = mapped_column(AwareDateTime())
    tries: Mapped[int] = mapped_column(Integer, default=0)
    locked_at: Mapped[datetime | None] = mapped_column(AwareDateTime())
    used_at: Mapped[datetime | None] = mapped_column(AwareDateTime())
    given_to: Mapped[str | None] = mapped_column(String(12))
    given_by: Mapped[str | None] = mapped_column(String(40))


CONTACT_PLACE = rotation.sealed("courier_parcel", "contact", place="courier_parcel.contact").place
TRACE_PLACE = rotation.sealed("courier_trace", "text", place="courier_trace.text").place
OPEN_ORDER = ("asking", "unknown", "cancelling")
"""Orders of which the last word has not been heard."""

map_constraint(OPEN_PICKUP, PickupAlreadyOpen)
