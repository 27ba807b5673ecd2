"""Families wait and draw, companions count, walk-ins take places, clerks open windows.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "booking_gathering",
        sa.Column("wait_id", sa.String(length=40), nullable=False),
        sa.Column("slot_id", sa.String(length=40), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["wait_id"], ["booking_wait.id"], name=op.f("fk_booking_gathering_wait_id")),
        sa.PrimaryKeyConstraint("wait_id", "slot_id", name=op.f("pk_booking_gathering")),
    )
    op.create_table(
        "booking_companion",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("booking_id", sa.String(length=40), nullable=False),
        sa.Column("id_no", sa.LargeBinary(), nullable=False),
        sa.Column("number_blind", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["booking_id"], ["booking_booking.id"], name=op.f("fk_booking_companion_booking_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_companion")),
    )
    op.create_index("ix_booking_companion_booking", "booking_companion", ["booking_id"], unique=False)
    op.create_index("ix_booking_companion_number", "booking_companion", ["number_blind"], unique=False)
    op.create_table(
        "booking_entry_companion",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("entry_id", sa.String(length=40), nullable=False),
        sa.Column("id_no", sa.LargeBinary(), nullable=False),
        sa.Column("number_blind", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["booking_entry.id"], name=op.f("fk_booking_entry_companion_entry_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_entry_companion")),
    )
    op.create_index("ix_booking_entry_companion_entry", "booking_entry_companion", ["entry_id"], unique=False)
    op.create_index(
        "ix_booking_entry_companion_number", "booking_entry_companion", ["number_blind"], unique=False
    )
    op.drop_index(op.f("uq_booking_block_cause"), table_name="booking_block")
    op.create_index("uq_booking_block_cause", "booking_block", ["cause_id", "person_id"], unique=True)
    op.add_column(
        "booking_booking", sa.Column("urgency_accepted_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("booking_booking", sa.Column("cancelled_why", sa.Text(), server_default="", nullable=False))
    op.add_column(
        "booking_booking", sa.Column("identity_checked_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column(
        "booking_entry", sa.Column("party", sa.Integer(), server_default=sa.text("1"), nullable=False)
    )
    op.add_column("booking_entry", sa.Column("companions", sa.LargeBinary(), nullable=True))
    op.add_column("booking_entry", sa.Column("delay_told_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("booking_place", sa.Column("ticket_id", sa.String(length=40), nullable=True))
    op.create_index(
        "uq_booking_place_ticket",
        "booking_place",
        ["ticket_id"],
        unique=True,
        postgresql_where=sa.text("ticket_id IS NOT NULL"),
    )
    op.create_check_constraint(
        op.f("ck_booking_place_walk_in_has_a_ticket"),
        "booking_place",
        "ticket_id IS NULL OR (kind = 'walk_in' AND booking_id IS NULL)",
    )
    op.add_column("booking_release", sa.Column("public_value_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "booking_release", sa.Column("called_off_why", sa.Text(), server_default="", nullable=False)
    )
    op.add_column("booking_site", sa.Column("hours_set_at", sa.DateTime(timezone=True), nullable=True))
    op.alter_column(
        "booking_slot",
        "cancel_before_hours",
        existing_type=sa.INTEGER(),
        type_=sa.Float(),
        existing_nullable=False,
    )
    op.add_column("booking_ticket", sa.Column("item_id", sa.String(length=40), nullable=True))
    op.add_column(
        "booking_ticket", sa.Column("beyond", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column(
        "booking_wait", sa.Column("party", sa.Integer(), server_default=sa.text("1"), nullable=False)
    )
    op.add_column("booking_wait", sa.Column("companions", sa.LargeBinary(), nullable=True))
    op.add_column("booking_wait", sa.Column("instead_of", sa.String(length=40), nullable=True))
    op.create_index(
        "ix_booking_wait_instead",
        "booking_wait",
        ["instead_of"],
        unique=False,
        postgresql_where=sa.text("instead_of IS NOT NULL"),
    )
    op.add_column("booking_window", sa.Column("today_on", sa.Date(), nullable=True))
    op.add_column("booking_window", sa.Column("today_open", sa.Boolean(), nullable=True))


def downgrade() -> None:
    op.drop_column("booking_window", "today_open")
    op.drop_column("booking_window", "today_on")
    op.drop_index(
        "ix_booking_wait_instead",
        table_name="booking_wait",
        postgresql_where=sa.text("instead_of IS NOT NULL"),
    )
    op.drop_column("booking_wait", "instead_of")
    op.drop_column("booking_wait", "companions")
    op.drop_column("booking_wait", "party")
    op.drop_column("booking_ticket", "beyond")
    op.drop_column("booking_ticket", "item_id")
    op.alter_column(
        "booking_slot",
        "cancel_before_hours",
        existing_type=sa.Float(),
        type_=sa.INTEGER(),
        existing_nullable=False,
    )
    op.drop_column("booking_site", "hours_set_at")
    op.drop_column("booking_release", "called_off_why")
    op.drop_column("booking_release", "public_value_at")
    op.drop_index(
        "uq_booking_place_ticket",
        table_name="booking_place",
        postgresql_where=sa.text("ticket_id IS NOT NULL"),
    )
    op.drop_constraint(op.f("ck_booking_place_walk_in_has_a_ticket"), "booking_place")
    op.drop_column("booking_place", "ticket_id")
    op.drop_column("booking_entry", "delay_told_at")
    op.drop_column("booking_entry", "companions")
    op.drop_column("booking_entry", "party")
    op.drop_column("booking_booking", "identity_checked_at")
    op.drop_column("booking_booking", "cancelled_why")
    op.drop_column("booking_booking", "urgency_accepted_at")
    op.drop_index("uq_booking_block_cause", table_name="booking_block")
    op.create_index(op.f("uq_booking_block_cause"), "booking_block", ["cause_id"], unique=True)
    op.drop_index("ix_booking_entry_companion_number", table_name="booking_entry_companion")
    op.drop_index("ix_booking_entry_companion_entry", table_name="booking_entry_companion")
    op.drop_table("booking_entry_companion")
    op.drop_index("ix_booking_companion_number", table_name="booking_companion")
    op.drop_index("ix_booking_companion_booking", table_name="booking_companion")
    op.drop_table("booking_companion")
    op.drop_table("booking_gathering")
