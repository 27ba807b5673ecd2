"""Booking to the hilt: plans, releases, waits, the hall; old bookings get a number, their day and their birth.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "booking_block",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("item_id", sa.String(length=40), nullable=False),
        sa.Column("site_id", sa.String(length=40), nullable=False),
        sa.Column("cause_id", sa.String(length=40), nullable=False),
        sa.Column(
            "counted",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("appeal", sa.LargeBinary(), nullable=True),
        sa.Column("appealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_why", sa.String(length=200), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_block")),
    )
    op.create_index(
        "ix_booking_block_appeals",
        "booking_block",
        ["appealed_at", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'appealed'"),
    )
    op.create_index(
        "ix_booking_block_person",
        "booking_block",
        ["person_id", "item_id"],
        unique=False,
        postgresql_where=sa.text("state IN ('active', 'appealed', 'upheld')"),
    )
    op.create_index("uq_booking_block_cause", "booking_block", ["cause_id"], unique=True)
    op.create_table(
        "booking_wait",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("case_id", sa.String(length=40), nullable=True),
        sa.Column("item_id", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=20), server_default="", nullable=False),
        sa.Column("site_id", sa.String(length=40), nullable=True),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("to_day", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("booking_id", sa.String(length=40), nullable=True),
        sa.Column("offers_on", sa.Date(), nullable=True),
        sa.Column("offers", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_wait")),
    )
    op.create_index(
        "ix_booking_wait_next",
        "booking_wait",
        ["item_id", "subject", "since"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "ix_booking_wait_offers",
        "booking_wait",
        ["person_id", "offers_on"],
        unique=False,
        postgresql_where=sa.text("offers_on IS NOT NULL"),
    )
    op.create_index("uq_booking_wait_booking", "booking_wait", ["booking_id"], unique=True)
    op.create_index(
        "uq_booking_wait_person",
        "booking_wait",
        ["person_id", "item_id", "subject"],
        unique=True,
        postgresql_where=sa.text("state IN ('waiting', 'offered')"),
    )
    op.create_table(
        "booking_day",
        sa.Column("site_id", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("hours", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_by", sa.String(length=40), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["booking_site.id"], name=op.f("fk_booking_day_site_id")),
        sa.PrimaryKeyConstraint("site_id", "day", name=op.f("pk_booking_day")),
    )
    op.create_table(
        "booking_pattern",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("site_id", sa.String(length=40), nullable=False),
        sa.Column("group_id", sa.String(length=40), server_default="", nullable=False),
        sa.Column("item_id", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=20), server_default="", nullable=False),
        sa.Column("weekdays", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("opens", sa.String(length=5), nullable=False),
        sa.Column("closes", sa.String(length=5), nullable=False),
        sa.Column("slot_minutes", sa.Integer(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("urgent", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["booking_site.id"], name=op.f("fk_booking_pattern_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_pattern")),
    )
    op.create_index("ix_booking_pattern_site", "booking_pattern", ["site_id", "item_id"], unique=False)
    op.create_table(
        "booking_release",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("site_id", sa.String(length=40), nullable=False),
        sa.Column("item_id", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=20), server_default="", nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("entries_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entries_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(length=32), nullable=False),
        sa.Column("seed", sa.LargeBinary(), nullable=False),
        sa.Column("revealed_seed", sa.String(length=80), nullable=True),
        sa.Column("public_source", sa.Text(), nullable=False),
        sa.Column("proposed_value", sa.Text(), nullable=True),
        sa.Column("proposed_by", sa.String(length=40), nullable=True),
        sa.Column("public_value", sa.Text(), nullable=True),
        sa.Column("record", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("made_by", sa.String(length=40), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["booking_site.id"], name=op.f("fk_booking_release_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_release")),
    )
    op.create_index("ix_booking_release_item", "booking_release", ["item_id", "entries_until"], unique=False)
    op.create_table(
        "booking_rule",
        sa.Column("site_id", sa.String(length=40), nullable=False),
        sa.Column("item_id", sa.String(length=40), nullable=False),
        sa.Column("rules", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["booking_site.id"], name=op.f("fk_booking_rule_site_id")),
        sa.PrimaryKeyConstraint("site_id", "item_id", name=op.f("pk_booking_rule")),
    )
    op.create_table(
        "booking_window_group",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("site_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("letter", sa.String(length=1), nullable=False),
        sa.Column("item_ids", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"], ["booking_site.id"], name=op.f("fk_booking_window_group_site_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_window_group")),
    )
    op.create_index(
        "uq_booking_window_group_letter", "booking_window_group", ["site_id", "letter"], unique=True
    )
    op.create_index("uq_booking_window_group_name", "booking_window_group", ["site_id", "name"], unique=True)
    op.create_table(
        "booking_entry",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("release_id", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("case_id", sa.String(length=40), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("wishes", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("elder", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("why", sa.String(length=40), server_default="", nullable=False),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("booking_id", sa.String(length=40), nullable=True),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["release_id"], ["booking_release.id"], name=op.f("fk_booking_entry_release_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_entry")),
    )
    op.create_index(
        "ix_booking_entry_case",
        "booking_entry",
        ["case_id"],
        unique=False,
        postgresql_where=sa.text("case_id IS NOT NULL"),
    )
    op.create_index(
        "ix_booking_entry_open",
        "booking_entry",
        ["release_id", "id"],
        unique=False,
        postgresql_where=sa.text("state IN ('entered', 'queued')"),
    )
    op.create_index("ix_booking_entry_person", "booking_entry", ["person_id", "id"], unique=False)
    op.create_index("ix_booking_entry_rank", "booking_entry", ["release_id", "rank"], unique=False)
    op.create_index("uq_booking_entry_person", "booking_entry", ["release_id", "person_id"], unique=True)
    op.create_table(
        "booking_ticket",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("site_id", sa.String(length=40), nullable=False),
        sa.Column("group_id", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(length=8), nullable=False),
        sa.Column("booking_id", sa.String(length=40), nullable=True),
        sa.Column("person_id", sa.String(length=40), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("window_id", sa.String(length=40), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("spoken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("passed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("calls", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["group_id"], ["booking_window_group.id"], name=op.f("fk_booking_ticket_group_id")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["booking_site.id"], name=op.f("fk_booking_ticket_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_ticket")),
    )
    op.create_index(
        "ix_booking_ticket_waiting",
        "booking_ticket",
        ["group_id", "day"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "uq_booking_ticket_booking",
        "booking_ticket",
        ["booking_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('waiting', 'called')"),
    )
    op.create_index("uq_booking_ticket_label", "booking_ticket", ["site_id", "day", "label"], unique=True)
    op.create_index(
        "uq_booking_ticket_window",
        "booking_ticket",
        ["window_id"],
        unique=True,
        postgresql_where=sa.text("state = 'called'"),
    )
    op.create_table(
        "booking_ticket_count",
        sa.Column("group_id", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["booking_window_group.id"], name=op.f("fk_booking_ticket_count_group_id")
        ),
        sa.PrimaryKeyConstraint("group_id", "day", name=op.f("pk_booking_ticket_count")),
    )
    op.create_table(
        "booking_window",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("site_id", sa.String(length=40), nullable=False),
        sa.Column("group_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("booked_first", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("open", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["booking_window_group.id"], name=op.f("fk_booking_window_group_id")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["booking_site.id"], name=op.f("fk_booking_window_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_window")),
    )
    op.create_index("uq_booking_window_number", "booking_window", ["site_id", "number"], unique=True)
    op.create_table(
        "booking_reminder",
        sa.Column("booking_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("slot_id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("not_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["booking_id"], ["booking_booking.id"], name=op.f("fk_booking_reminder_booking_id")
        ),
        sa.PrimaryKeyConstraint("booking_id", "kind", name=op.f("pk_booking_reminder")),
    )
    op.create_index(
        "ix_booking_reminder_due",
        "booking_reminder",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.add_column("booking_booking", sa.Column("number", sa.String(length=20), nullable=True))
    op.execute("UPDATE booking_booking SET number = 'Y' || upper(substr(md5(id), 1, 11))")
    op.alter_column("booking_booking", "number", nullable=False)
    op.add_column("booking_booking", sa.Column("day", sa.Date(), nullable=True))
    op.execute(
        "UPDATE booking_booking b SET day = (s.starts_at AT TIME ZONE 'Asia/Shanghai')::date FROM booking_slot s WHERE s.id = b.slot_id"
    )
    op.alter_column("booking_booking", "day", nullable=False)
    op.add_column(
        "booking_booking", sa.Column("party", sa.Integer(), server_default=sa.text("1"), nullable=False)
    )
    op.add_column("booking_booking", sa.Column("companions", sa.LargeBinary(), nullable=True))
    op.add_column(
        "booking_booking", sa.Column("origin", sa.String(length=20), server_default="direct", nullable=False)
    )
    op.add_column("booking_booking", sa.Column("made_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE booking_booking SET made_at = held_until - interval '10 minutes'")
    op.alter_column("booking_booking", "made_at", nullable=False)
    op.add_column("booking_booking", sa.Column("moving_to", sa.String(length=40), nullable=True))
    op.add_column("booking_booking", sa.Column("moving_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("booking_booking", sa.Column("moving_day", sa.Date(), nullable=True))
    op.add_column("booking_booking", sa.Column("displaced_from", sa.String(length=40), nullable=True))
    op.add_column("booking_booking", sa.Column("displaced_to", sa.String(length=40), nullable=True))
    op.add_column("booking_booking", sa.Column("displaced_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "booking_booking", sa.Column("moves", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
    op.add_column("booking_booking", sa.Column("device", sa.LargeBinary(length=32), nullable=True))
    op.add_column(
        "booking_booking", sa.Column("urgent_reason", sa.String(length=40), server_default="", nullable=False)
    )
    op.add_column(
        "booking_booking",
        sa.Column(
            "urgent_evidence", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
    )
    op.add_column(
        "booking_booking", sa.Column("excused", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column(
        "booking_booking", sa.Column("check_in_tried_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column(
        "booking_booking", sa.Column("tail_tries", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
    op.add_column("booking_booking", sa.Column("tail_tried_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("booking_booking", sa.Column("checked_in_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_booking_booking_device",
        "booking_booking",
        ["device", "made_at"],
        unique=False,
        postgresql_where=sa.text("device IS NOT NULL"),
    )
    op.create_index(
        "ix_booking_booking_displaced",
        "booking_booking",
        ["displaced_from"],
        unique=False,
        postgresql_where=sa.text("displaced_from IS NOT NULL"),
    )
    op.create_index(
        "ix_booking_booking_moving",
        "booking_booking",
        ["moving_until"],
        unique=False,
        postgresql_where=sa.text("moving_to IS NOT NULL"),
    )
    op.create_unique_constraint(op.f("uq_booking_booking_number"), "booking_booking", ["number"])
    op.drop_column("booking_booking", "check_in_code")
    op.add_column(
        "booking_place", sa.Column("kind", sa.String(length=10), server_default="open", nullable=False)
    )
    op.add_column(
        "booking_place", sa.Column("kept", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.drop_constraint(op.f("uq_booking_place_booking_id"), "booking_place", type_="unique")
    op.create_index(
        "ix_booking_place_booking",
        "booking_place",
        ["booking_id"],
        unique=False,
        postgresql_where=sa.text("booking_id IS NOT NULL"),
    )
    op.create_index(
        "ix_booking_place_kept", "booking_place", ["slot_id"], unique=False, postgresql_where=sa.text("kept")
    )
    op.add_column("booking_site", sa.Column("latitude", sa.Numeric(precision=9, scale=6), nullable=True))
    op.add_column("booking_site", sa.Column("longitude", sa.Numeric(precision=9, scale=6), nullable=True))
    op.add_column("booking_site", sa.Column("phone", sa.String(length=30), server_default="", nullable=False))
    op.add_column(
        "booking_slot", sa.Column("group_id", sa.String(length=40), server_default="", nullable=False)
    )
    op.add_column("booking_slot", sa.Column("pattern_id", sa.String(length=40), nullable=True))
    op.add_column("booking_slot", sa.Column("opens_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "booking_slot", sa.Column("urgent", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column("booking_slot", sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("booking_slot", sa.Column("closed_why", sa.Text(), server_default="", nullable=False))
    op.add_column("booking_slot", sa.Column("release_id", sa.String(length=40), nullable=True))
    op.drop_constraint(
        op.f("uq_booking_slot_site_id_item_id_subject_starts_at"), "booking_slot", type_="unique"
    )
    op.create_index(
        "ix_booking_slot_closed",
        "booking_slot",
        ["starts_at"],
        unique=False,
        postgresql_where=sa.text("closed_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_booking_slot_release_id"), "booking_slot", ["release_id"], unique=False)
    op.create_index("ix_booking_slot_site", "booking_slot", ["site_id", "starts_at"], unique=False)
    op.create_index(
        "uq_booking_slot_span",
        "booking_slot",
        ["site_id", "item_id", "subject", "group_id", "starts_at", "urgent"],
        unique=True,
    )


def downgrade() -> None:
    op.drop_index("uq_booking_slot_span", table_name="booking_slot")
    op.drop_index("ix_booking_slot_site", table_name="booking_slot")
    op.drop_index(op.f("ix_booking_slot_release_id"), table_name="booking_slot")
    op.drop_index(
        "ix_booking_slot_closed", table_name="booking_slot", postgresql_where=sa.text("closed_at IS NOT NULL")
    )
    op.create_unique_constraint(
        op.f("uq_booking_slot_site_id_item_id_subject_starts_at"),
        "booking_slot",
        ["site_id", "item_id", "subject", "starts_at"],
        postgresql_nulls_not_distinct=False,
    )
    op.drop_column("booking_slot", "release_id")
    op.drop_column("booking_slot", "closed_why")
    op.drop_column("booking_slot", "closed_at")
    op.drop_column("booking_slot", "urgent")
    op.drop_column("booking_slot", "opens_at")
    op.drop_column("booking_slot", "pattern_id")
    op.drop_column("booking_slot", "group_id")
    op.drop_column("booking_site", "phone")
    op.drop_column("booking_site", "longitude")
    op.drop_column("booking_site", "latitude")
    op.drop_index("ix_booking_place_kept", table_name="booking_place", postgresql_where=sa.text("kept"))
    op.drop_index(
        "ix_booking_place_booking",
        table_name="booking_place",
        postgresql_where=sa.text("booking_id IS NOT NULL"),
    )
    op.create_unique_constraint(
        op.f("uq_booking_place_booking_id"),
        "booking_place",
        ["booking_id"],
        postgresql_nulls_not_distinct=False,
    )
    op.drop_column("booking_place", "kept")
    op.drop_column("booking_place", "kind")
    op.add_column(
        "booking_booking", sa.Column("check_in_code", sa.LargeBinary(), server_default="", nullable=False)
    )
    op.alter_column("booking_booking", "check_in_code", server_default=None)
    op.drop_constraint(op.f("uq_booking_booking_number"), "booking_booking", type_="unique")
    op.drop_index(
        "ix_booking_booking_moving",
        table_name="booking_booking",
        postgresql_where=sa.text("moving_to IS NOT NULL"),
    )
    op.drop_index(
        "ix_booking_booking_displaced",
        table_name="booking_booking",
        postgresql_where=sa.text("displaced_from IS NOT NULL"),
    )
    op.drop_index(
        "ix_booking_booking_device",
        table_name="booking_booking",
        postgresql_where=sa.text("device IS NOT NULL"),
    )
    op.drop_column("booking_booking", "checked_in_at")
    op.drop_column("booking_booking", "tail_tried_at")
    op.drop_column("booking_booking", "tail_tries")
    op.drop_column("booking_booking", "check_in_tried_at")
    op.drop_column("booking_booking", "excused")
    op.drop_column("booking_booking", "urgent_evidence")
    op.drop_column("booking_booking", "urgent_reason")
    op.drop_column("booking_booking", "device")
    op.drop_column("booking_booking", "moves")
    op.drop_column("booking_booking", "displaced_at")
    op.drop_column("booking_booking", "displaced_to")
    op.drop_column("booking_booking", "displaced_from")
    op.drop_column("booking_booking", "moving_day")
    op.drop_column("booking_booking", "moving_until")
    op.drop_column("booking_booking", "moving_to")
    op.drop_column("booking_booking", "made_at")
    op.drop_column("booking_booking", "origin")
    op.drop_column("booking_booking", "companions")
    op.drop_column("booking_booking", "party")
    op.drop_column("booking_booking", "day")
    op.drop_column("booking_booking", "number")
    op.drop_index(
        "ix_booking_reminder_due",
        table_name="booking_reminder",
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.drop_table("booking_reminder")
    op.drop_index("uq_booking_window_number", table_name="booking_window")
    op.drop_table("booking_window")
    op.drop_table("booking_ticket_count")
    op.drop_index(
        "uq_booking_ticket_window", table_name="booking_ticket", postgresql_where=sa.text("state = 'called'")
    )
    op.drop_index("uq_booking_ticket_label", table_name="booking_ticket")
    op.drop_index(
        "uq_booking_ticket_booking",
        table_name="booking_ticket",
        postgresql_where=sa.text("state IN ('waiting', 'called')"),
    )
    op.drop_index(
        "ix_booking_ticket_waiting",
        table_name="booking_ticket",
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.drop_table("booking_ticket")
    op.drop_index("uq_booking_entry_person", table_name="booking_entry")
    op.drop_index("ix_booking_entry_rank", table_name="booking_entry")
    op.drop_index("ix_booking_entry_person", table_name="booking_entry")
    op.drop_index(
        "ix_booking_entry_open",
        table_name="booking_entry",
        postgresql_where=sa.text("state IN ('entered', 'queued')"),
    )
    op.drop_index(
        "ix_booking_entry_case", table_name="booking_entry", postgresql_where=sa.text("case_id IS NOT NULL")
    )
    op.drop_table("booking_entry")
    op.drop_index("uq_booking_window_group_name", table_name="booking_window_group")
    op.drop_index("uq_booking_window_group_letter", table_name="booking_window_group")
    op.drop_table("booking_window_group")
    op.drop_table("booking_rule")
    op.drop_index("ix_booking_release_item", table_name="booking_release")
    op.drop_table("booking_release")
    op.drop_index("ix_booking_pattern_site", table_name="booking_pattern")
    op.drop_table("booking_pattern")
    op.drop_table("booking_day")
    op.drop_index(
        "uq_booking_wait_person",
        table_name="booking_wait",
        postgresql_where=sa.text("state IN ('waiting', 'offered')"),
    )
    op.drop_index("uq_booking_wait_booking", table_name="booking_wait")
    op.drop_index(
        "ix_booking_wait_offers", table_name="booking_wait", postgresql_where=sa.text("offers_on IS NOT NULL")
    )
    op.drop_index(
        "ix_booking_wait_next", table_name="booking_wait", postgresql_where=sa.text("state = 'waiting'")
    )
    op.drop_table("booking_wait")
    op.drop_index("uq_booking_block_cause", table_name="booking_block")
    op.drop_index(
        "ix_booking_block_person",
        table_name="booking_block",
        postgresql_where=sa.text("state IN ('active', 'appealed', 'upheld')"),
    )
    op.drop_index(
        "ix_booking_block_appeals", table_name="booking_block", postgresql_where=sa.text("state = 'appealed'")
    )
    op.drop_table("booking_block")
