"""foundation

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from backend.store import schema

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "booking_site",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("department_id", sa.String(length=40), nullable=False),
        sa.Column("region_code", sa.String(length=40), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("hours", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("item_ids", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_site")),
    )
    op.create_table(
        "cases_case",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("item_id", sa.String(length=40), nullable=False),
        sa.Column("item_version_id", sa.String(length=40), nullable=False),
        sa.Column("item_name", sa.String(length=200), nullable=False),
        sa.Column("department_id", sa.String(length=40), nullable=False),
        sa.Column("region_code", sa.String(length=12), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("delivery", sa.String(length=12), nullable=False),
        sa.Column("address_id", sa.String(length=40), nullable=True),
        sa.Column("form_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("originals", sa.String(length=12), server_default=sa.text("'none'"), nullable=False),
        sa.Column("visit", sa.String(length=12), server_default=sa.text("'none'"), nullable=False),
        sa.Column("holder", sa.String(length=12), nullable=False),
        sa.Column("result_sent", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("round", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_on", sa.Date(), nullable=True),
        sa.Column("accepted_on", sa.Date(), nullable=True),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("deemed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("extended_by", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("paused_days", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("fee_state", sa.String(length=10), server_default=sa.text("'none'"), nullable=False),
        sa.Column("fee_fen", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("fee_lines", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("fee_payment_id", sa.String(length=40), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("days_early", sa.Integer(), nullable=True),
        sa.Column("pre_review_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "pre_review_due_at_provisional", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
        sa.Column("pre_review_warned", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("deemed_acceptance_on", sa.Date(), nullable=True),
        sa.Column(
            "deemed_acceptance_on_provisional", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
        sa.Column("correction_due_on", sa.Date(), nullable=True),
        sa.Column(
            "correction_due_on_provisional", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
        sa.Column("promised_on", sa.Date(), nullable=True),
        sa.Column("promised_on_provisional", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("legal_on", sa.Date(), nullable=True),
        sa.Column("legal_on_provisional", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("delivery_due_on", sa.Date(), nullable=True),
        sa.Column(
            "delivery_due_on_provisional", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases_case")),
        sa.UniqueConstraint("number", name=op.f("uq_cases_case_number")),
    )
    op.create_index(
        "ix_cases_case_deemed",
        "cases_case",
        ["deemed_acceptance_on"],
        unique=False,
        postgresql_where=sa.text("deemed_acceptance_on IS NOT NULL"),
    )
    op.create_index(
        "ix_cases_case_due",
        "cases_case",
        ["department_id", "due_on", "id"],
        unique=False,
        postgresql_where=sa.text("due_on IS NOT NULL"),
    )
    op.create_index(
        "ix_cases_case_lapse",
        "cases_case",
        ["correction_due_on"],
        unique=False,
        postgresql_where=sa.text("state = 'correcting'"),
    )
    op.create_index("ix_cases_case_person", "cases_case", ["person_id", "id"], unique=False)
    op.create_index(
        "ix_cases_case_pre_review",
        "cases_case",
        ["pre_review_due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'submitted'"),
    )
    op.create_index(
        "ix_cases_case_provisional",
        "cases_case",
        ["id"],
        unique=False,
        postgresql_where=sa.text(
            "pre_review_due_at_provisional OR deemed_acceptance_on_provisional OR correction_due_on_provisional OR promised_on_provisional OR legal_on_provisional OR delivery_due_on_provisional"
        ),
    )
    op.create_index("ix_cases_case_queue", "cases_case", ["department_id", "state", "id"], unique=False)
    op.create_table(
        "catalogue_calendar_year",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_catalogue_calendar_year")),
    )
    op.create_table(
        "catalogue_department",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("successor_name", sa.String(length=120), nullable=True),
        sa.Column("aliases", postgresql.ARRAY(sa.String(length=120)), nullable=False),
        sa.Column("category", sa.String(length=40), nullable=False),
        sa.Column("level", sa.String(length=40), nullable=False),
        sa.Column("region_id", sa.String(length=40), nullable=False),
        sa.Column("uscc_test", sa.String(length=18), nullable=False),
        sa.Column("roles", postgresql.ARRAY(sa.String(length=60)), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogue_department")),
    )
    op.create_table(
        "catalogue_item",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("latest_number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogue_item")),
    )
    op.create_table(
        "catalogue_region",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("level", sa.String(length=40), nullable=False),
        sa.Column("parent_id", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogue_region")),
    )
    op.create_table(
        "courier_parcel",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("matter", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("department_id", sa.String(length=40), nullable=True),
        sa.Column("direction", sa.String(length=8), nullable=False),
        sa.Column("purpose", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("carrier", sa.String(length=20), nullable=False),
        sa.Column("address_id", sa.String(length=40), nullable=True),
        sa.Column("contact", sa.LargeBinary(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("order_code", sa.String(length=40), nullable=True),
        sa.Column("shipper", sa.String(length=20), nullable=True),
        sa.Column("waybill_no", sa.String(length=40), nullable=True),
        sa.Column("rider_id", sa.String(length=40), nullable=True),
        sa.Column("needs_holder", sa.Boolean(), nullable=False),
        sa.Column("wish_key", sa.String(length=128), nullable=True),
        sa.Column("cancel_reason", sa.String(length=60), nullable=True),
        sa.Column("receipt_doubt", sa.String(length=20), nullable=True),
        sa.Column("send_back", sa.Boolean(), nullable=False),
        sa.Column("fee_fen", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("packed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("collected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("polled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("warned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_courier_parcel")),
    )
    op.create_index(
        "ix_courier_parcel_closed_at",
        "courier_parcel",
        ["closed_at"],
        unique=False,
        postgresql_where=sa.text("closed_at IS NOT NULL"),
    )
    op.create_index(
        "ix_courier_parcel_department_id", "courier_parcel", ["department_id", "id"], unique=False
    )
    op.create_index("ix_courier_parcel_matter", "courier_parcel", ["matter"], unique=False)
    op.create_index(
        "ix_courier_parcel_moving",
        "courier_parcel",
        ["state"],
        unique=False,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index("ix_courier_parcel_person_id", "courier_parcel", ["person_id"], unique=False)
    op.create_index(
        "ix_courier_parcel_rider_id",
        "courier_parcel",
        ["rider_id"],
        unique=False,
        postgresql_where=sa.text("rider_id IS NOT NULL"),
    )
    op.create_index("ix_courier_parcel_waybill_no", "courier_parcel", ["waybill_no"], unique=False)
    op.create_index(
        "uq_courier_parcel_open_pickup",
        "courier_parcel",
        ["matter"],
        unique=True,
        postgresql_where=sa.text("purpose = 'materials' AND state IN ('created', 'ordered', 'assigned')"),
    )
    op.create_table(
        "notifications_grant",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("openid", sa.LargeBinary(), nullable=False),
        sa.Column("openid_blind", sa.LargeBinary(length=32), nullable=False),
        sa.Column("template_id", sa.String(length=64), nullable=False),
        sa.Column("told_by_phone", sa.Integer(), nullable=False),
        sa.Column("told_by_platform", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications_grant")),
        sa.UniqueConstraint(
            "openid_blind", "template_id", name="uq_notifications_grant_openid_blind_template_id"
        ),
    )
    op.create_table(
        "notifications_message",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("dedupe", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("about", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=True),
        sa.Column("must_know", sa.Boolean(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("repeated", sa.Boolean(), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("not_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ask_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("provider_id", sa.String(length=64), nullable=True),
        sa.Column("destination", sa.LargeBinary(), nullable=True),
        sa.Column("destination_blind", sa.LargeBinary(length=32), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("proof", sa.String(length=8), nullable=True),
        sa.Column("why", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications_message")),
        sa.UniqueConstraint("dedupe", "kind", "person_id", "channel", name="uq_notifications_message_once"),
    )
    op.create_index("ix_notifications_message_about", "notifications_message", ["about"], unique=False)
    op.create_index(
        "ix_notifications_message_ask",
        "notifications_message",
        ["ask_at"],
        unique=False,
        postgresql_where=sa.text("ask_at IS NOT NULL"),
    )
    op.create_index(
        "ix_notifications_message_away",
        "notifications_message",
        ["destination_blind"],
        unique=False,
        postgresql_where=sa.text("state IN ('sending', 'unknown')"),
    )
    op.create_index(
        "ix_notifications_message_due",
        "notifications_message",
        ["rank", "due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "ix_notifications_message_held",
        "notifications_message",
        ["lease_until"],
        unique=False,
        postgresql_where=sa.text("state = 'sending'"),
    )
    op.create_index(
        "ix_notifications_message_inbox",
        "notifications_message",
        ["person_id", "channel", "id"],
        unique=False,
    )
    op.create_index(
        "ix_notifications_message_provider",
        "notifications_message",
        ["provider_id"],
        unique=False,
        postgresql_where=sa.text("provider_id IS NOT NULL"),
    )
    op.create_index(
        "ix_notifications_message_state", "notifications_message", ["state", "queued_at"], unique=False
    )
    op.create_table(
        "payments_bill",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("notice_no", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("executing_unit", sa.String(length=80), nullable=False),
        sa.Column("region_code", sa.String(length=12), nullable=False),
        sa.Column("department_id", sa.String(length=40), nullable=False),
        sa.Column("item", sa.String(length=80), nullable=False),
        sa.Column("principal_fen", sa.BigInteger(), nullable=False),
        sa.Column("overdue_fen", sa.BigInteger(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("factor", sa.LargeBinary(), nullable=False),
        sa.Column("window_name", sa.String(length=80), nullable=False),
        sa.Column("window_address", sa.String(length=120), nullable=False),
        sa.Column("window_handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("notice_no ~ '^[0-9]{20}$'", name=op.f("ck_payments_bill_notice_no")),
        sa.CheckConstraint("overdue_fen >= 0", name=op.f("ck_payments_bill_overdue")),
        sa.CheckConstraint("principal_fen BETWEEN 1 AND 100000000", name=op.f("ck_payments_bill_principal")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments_bill")),
        sa.UniqueConstraint("notice_no", name=op.f("uq_payments_bill_notice_no")),
    )
    op.create_index("ix_payments_bill_department_id", "payments_bill", ["department_id", "id"], unique=False)
    op.create_table(
        "payments_lookup_tally",
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_payments_lookup_tally")),
    )
    op.create_table(
        "payments_payment",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=48), nullable=False),
        sa.Column("matter", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("payee", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("settles", sa.Boolean(), nullable=False),
        sa.Column("unwanted", sa.Boolean(), nullable=False),
        sa.Column("ticket", sa.String(length=128), nullable=True),
        sa.Column("reference", sa.String(length=64), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ask_next_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_fen BETWEEN 1 AND 100000000", name=op.f("ck_payments_payment_amount")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments_payment")),
        sa.UniqueConstraint("number", name=op.f("uq_payments_payment_number")),
    )
    op.create_index(
        "ix_payments_payment_ask_next_at",
        "payments_payment",
        ["ask_next_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('created', 'awaiting', 'closing')"),
    )
    op.create_index("ix_payments_payment_person_id", "payments_payment", ["person_id", "id"], unique=False)
    op.create_index("ix_payments_payment_subject", "payments_payment", ["subject"], unique=False)
    op.create_index(
        "uq_payments_payment_live",
        "payments_payment",
        ["subject", "person_id", "channel"],
        unique=True,
        postgresql_where=sa.text("state IN ('created', 'awaiting')"),
    )
    op.create_index(
        "uq_payments_payment_settles",
        "payments_payment",
        ["subject"],
        unique=True,
        postgresql_where=sa.text("settles"),
    )
    op.create_table(
        "people_access_log",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("viewer_kind", sa.String(length=12), nullable=False),
        sa.Column("viewer_id", sa.String(length=40), nullable=False),
        sa.Column("viewer_label", sa.String(length=60), nullable=False),
        sa.Column("session_id", sa.String(length=40), nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("purpose", sa.String(length=80), nullable=False),
        sa.Column("matter", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", "looked_at", name=op.f("pk_people_access_log")),
        postgresql_partition_by="RANGE (looked_at)",
    )
    op.create_index("ix_people_access_log_person", "people_access_log", ["person_id", "id"], unique=False)
    op.create_table(
        "people_code",
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("phone_blind", sa.LargeBinary(length=32), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("good_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("spent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("purpose", "phone_blind", name=op.f("pk_people_code")),
    )
    op.create_index("ix_people_code_good_until", "people_code", ["good_until"], unique=False)
    op.create_table(
        "people_nonce",
        sa.Column("key_id", sa.String(length=40), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key_id", "nonce", name=op.f("pk_people_nonce")),
    )
    op.create_index("ix_people_nonce_heard_at", "people_nonce", ["heard_at"], unique=False)
    op.create_table(
        "people_person",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=True),
        sa.Column("id_no", sa.LargeBinary(), nullable=True),
        sa.Column("phone", sa.LargeBinary(), nullable=True),
        sa.Column("tail", sa.LargeBinary(), nullable=True),
        sa.Column("number_blind", sa.LargeBinary(length=32), nullable=True),
        sa.Column("phone_blind", sa.LargeBinary(length=32), nullable=True),
        sa.Column("name_blind", sa.LargeBinary(length=32), nullable=True),
        sa.Column("tail_blind", sa.LargeBinary(length=32), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verified_by", sa.String(length=12), nullable=True),
        sa.Column("joined_to", sa.String(length=40), nullable=True),
        sa.Column("elder_mode", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("push_off", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(state = 'verified') <= (number_blind IS NOT NULL)",
            name=op.f("ck_people_person_verified_has_number"),
        ),
        sa.ForeignKeyConstraint(["joined_to"], ["people_person.id"], name=op.f("fk_people_person_joined_to")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people_person")),
        sa.UniqueConstraint("number_blind", name=op.f("uq_people_person_number_blind")),
    )
    op.create_index("ix_people_person_name_blind", "people_person", ["name_blind"], unique=False)
    op.create_index("ix_people_person_phone_blind", "people_person", ["phone_blind"], unique=False)
    op.create_index("ix_people_person_tail_blind", "people_person", ["tail_blind"], unique=False)
    op.create_table(
        "people_phone_answer",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("account", sa.LargeBinary(length=32), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_people_phone_answer")),
    )
    op.create_index("ix_people_phone_answer_heard_at", "people_phone_answer", ["heard_at"], unique=False)
    op.create_table(
        "people_rider",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("phone_blind", sa.LargeBinary(length=32), nullable=False),
        sa.Column("carrier", sa.String(length=20), nullable=False),
        sa.Column("point", sa.String(length=60), nullable=False),
        sa.Column("region_code", sa.String(length=12), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people_rider")),
        sa.UniqueConstraint("phone_blind", name=op.f("uq_people_rider_phone_blind")),
    )
    op.create_table(
        "people_session",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("subject_id", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("device", sa.String(length=80), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("good_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_why", sa.String(length=20), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people_session")),
    )
    op.create_index("ix_people_session_good_until", "people_session", ["good_until"], unique=False)
    op.create_index(
        "ix_people_session_subject",
        "people_session",
        ["subject_id"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "people_staff",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("account", sa.String(length=40), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("department_id", sa.String(length=40), nullable=True),
        sa.Column("department_name", sa.String(length=60), nullable=False),
        sa.Column("region_code", sa.String(length=12), nullable=True),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("password_set_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("totp_secret", sa.LargeBinary(), nullable=True),
        sa.Column("totp_step", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("enrolment_digest", sa.LargeBinary(length=32), nullable=True),
        sa.Column("enrolment_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_login_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people_staff")),
        sa.UniqueConstraint("account", name=op.f("uq_people_staff_account")),
        sa.UniqueConstraint("enrolment_digest", name=op.f("uq_people_staff_enrolment_digest")),
    )
    op.create_table(
        "people_system",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("department_id", sa.String(length=40), nullable=False),
        sa.Column("region_code", sa.String(length=12), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people_system")),
    )
    op.create_table(
        "people_tally",
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("subject", sa.LargeBinary(length=32), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", "subject", name=op.f("pk_people_tally")),
    )
    op.create_index("ix_people_tally_opened_at", "people_tally", ["opened_at"], unique=False)
    op.create_table(
        "runtime_provider_token",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=True),
        sa.Column("good_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_runtime_provider_token")),
    )
    op.create_table(
        "store_answer",
        sa.Column("scope", sa.String(length=90), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key", name=op.f("pk_store_answer")),
    )
    op.create_index("ix_store_answer_expires_at", "store_answer", ["expires_at"], unique=False)
    op.create_table(
        "store_chore",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("owner", sa.String(length=80), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_last", sa.Integer(), nullable=True),
        sa.Column("done_ever", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_store_chore")),
    )
    op.create_table(
        "store_data_key",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("master", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_store_data_key")),
    )
    op.create_table(
        "store_delivery",
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("ear", sa.String(length=80), nullable=False),
        sa.Column("stream", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("event_id", "ear", name=op.f("pk_store_delivery")),
    )
    op.create_index(
        "ix_store_delivery_due",
        "store_delivery",
        ["due_at", "event_id"],
        unique=False,
        postgresql_where=sa.text("state = 'due'"),
    )
    op.create_index(
        "ix_store_delivery_unfinished",
        "store_delivery",
        ["ear", "stream", "event_id"],
        unique=False,
        postgresql_where=sa.text("state <> 'done'"),
    )
    op.create_table(
        "store_journal",
        sa.Column("matter", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("trigger", sa.String(length=60), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("target", sa.String(length=40), nullable=False),
        sa.Column("says", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.String(length=12), nullable=False),
        sa.Column("actor_id", sa.String(length=40), nullable=False),
        sa.Column("actor_label", sa.String(length=60), nullable=False),
        sa.Column("facts", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("digest", sa.LargeBinary(length=64), nullable=False),
        sa.Column("link", sa.LargeBinary(length=32), nullable=False),
        sa.Column("erased", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("matter", "seq", name=op.f("pk_store_journal")),
    )
    op.create_table(
        "store_key_print",
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("purpose", name=op.f("pk_store_key_print")),
    )
    op.create_table(
        "store_notice",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("trigger", sa.String(length=60), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", "heard_at", name=op.f("pk_store_notice")),
        postgresql_partition_by="RANGE (heard_at)",
    )
    op.create_index("ix_store_notice_subject", "store_notice", ["subject"], unique=False)
    op.create_table(
        "store_notice_key",
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("notice_id", sa.String(length=40), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("provider", "key", name=op.f("pk_store_notice_key")),
    )
    op.create_table(
        "store_outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stream", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("ears", postgresql.ARRAY(sa.String(length=80)), nullable=False),
        sa.PrimaryKeyConstraint("id", "recorded_at", name=op.f("pk_store_outbox")),
        postgresql_partition_by="RANGE (recorded_at)",
    )
    op.create_table(
        "store_signed_head",
        sa.Column("matter", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("link", sa.LargeBinary(length=32), nullable=False),
        sa.Column("signature", sa.LargeBinary(length=32), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("matter", name=op.f("pk_store_signed_head")),
    )
    op.create_table(
        "store_stream",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("link", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_store_stream")),
    )
    op.create_table(
        "booking_slot",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("site_id", sa.String(length=40), nullable=False),
        sa.Column("item_id", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=20), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("cancel_before_hours", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["booking_site.id"], name=op.f("fk_booking_slot_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_slot")),
        sa.UniqueConstraint(
            "site_id",
            "item_id",
            "subject",
            "starts_at",
            name=op.f("uq_booking_slot_site_id_item_id_subject_starts_at"),
        ),
    )
    op.create_index("ix_booking_slot_item", "booking_slot", ["item_id", "starts_at"], unique=False)
    op.create_table(
        "cases_correction",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("case_id", sa.String(length=40), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("points_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases_case.id"], name=op.f("fk_cases_correction_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases_correction")),
        sa.UniqueConstraint("case_id", "round", name=op.f("uq_cases_correction_case_id_round")),
    )
    op.create_index(
        "uq_cases_correction_open",
        "cases_correction",
        ["case_id"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "cases_material",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("case_id", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("copies", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("round", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases_case.id"], name=op.f("fk_cases_material_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases_material")),
        sa.UniqueConstraint("case_id", "code", "round", name=op.f("uq_cases_material_case_id_code_round")),
    )
    op.create_table(
        "cases_pause",
        sa.Column("case_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("procedure", sa.String(length=60), nullable=False),
        sa.Column("told_days", sa.Integer(), nullable=False),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases_case.id"], name=op.f("fk_cases_pause_case_id")),
        sa.PrimaryKeyConstraint("case_id", "number", name=op.f("pk_cases_pause")),
    )
    op.create_table(
        "catalogue_calendar_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=4), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.CheckConstraint("kind IN ('off', 'work')", name=op.f("ck_catalogue_calendar_day_kind")),
        sa.ForeignKeyConstraint(
            ["year"], ["catalogue_calendar_year.year"], name=op.f("fk_catalogue_calendar_day_year")
        ),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_catalogue_calendar_day")),
    )
    op.create_index(op.f("ix_catalogue_calendar_day_year"), "catalogue_calendar_day", ["year"], unique=False)
    op.create_table(
        "catalogue_item_version",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("item_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("department_id", sa.String(length=40), nullable=False),
        sa.Column("handle_code", sa.String(length=33), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("themes", postgresql.ARRAY(sa.String(length=40)), nullable=False),
        sa.Column("region_ids", postgresql.ARRAY(sa.String(length=40)), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["catalogue_department.id"],
            name=op.f("fk_catalogue_item_version_department_id"),
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["catalogue_item.id"], name=op.f("fk_catalogue_item_version_item_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogue_item_version")),
        sa.UniqueConstraint("item_id", "number", name=op.f("uq_catalogue_item_version_item_id_number")),
    )
    op.create_index(
        op.f("ix_catalogue_item_version_department_id"),
        "catalogue_item_version",
        ["department_id"],
        unique=False,
    )
    op.create_index(
        "ix_catalogue_item_version_state", "catalogue_item_version", ["state", "item_id"], unique=False
    )
    op.create_index(
        "uq_catalogue_item_version_published",
        "catalogue_item_version",
        ["item_id"],
        unique=True,
        postgresql_where=sa.text("state = 'published'"),
    )
    op.create_table(
        "courier_handover",
        sa.Column("parcel_id", sa.String(length=40), nullable=False),
        sa.Column("seed", sa.String(length=60), nullable=True),
        sa.Column("good_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("locked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("given_to", sa.String(length=12), nullable=True),
        sa.Column("given_by", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(
            ["parcel_id"], ["courier_parcel.id"], name=op.f("fk_courier_handover_parcel_id")
        ),
        sa.PrimaryKeyConstraint("parcel_id", name=op.f("pk_courier_handover")),
    )
    op.create_table(
        "courier_order",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("parcel_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("carrier", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("carrier_order_no", sa.String(length=60), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["parcel_id"], ["courier_parcel.id"], name=op.f("fk_courier_order_parcel_id")
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_courier_order")),
    )
    op.create_index(
        "ix_courier_order_open",
        "courier_order",
        ["state", "asked_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('asking', 'unknown', 'cancelling')"),
    )
    op.create_index("ix_courier_order_parcel_id", "courier_order", ["parcel_id"], unique=False)
    op.create_table(
        "courier_piece",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("parcel_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("copies", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("origin_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["origin_id"], ["courier_piece.id"], name=op.f("fk_courier_piece_origin_id")),
        sa.ForeignKeyConstraint(
            ["parcel_id"], ["courier_parcel.id"], name=op.f("fk_courier_piece_parcel_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_courier_piece")),
    )
    op.create_index("ix_courier_piece_parcel_id", "courier_piece", ["parcel_id"], unique=False)
    op.create_table(
        "courier_trace",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("parcel_id", sa.String(length=40), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("trigger", sa.String(length=20), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("place", sa.String(length=60), nullable=False),
        sa.Column("receipt", sa.String(length=12), nullable=False),
        sa.ForeignKeyConstraint(
            ["parcel_id"], ["courier_parcel.id"], name=op.f("fk_courier_trace_parcel_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_courier_trace")),
    )
    op.create_index("ix_courier_trace_parcel_id", "courier_trace", ["parcel_id", "happened_at"], unique=False)
    op.create_table(
        "payments_bill_reader",
        sa.Column("bill_id", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["bill_id"], ["payments_bill.id"], name=op.f("fk_payments_bill_reader_bill_id")
        ),
        sa.PrimaryKeyConstraint("bill_id", "person_id", name=op.f("pk_payments_bill_reader")),
    )
    op.create_index(
        "ix_payments_bill_reader_person_id", "payments_bill_reader", ["person_id", "bill_id"], unique=False
    )
    op.create_table(
        "payments_ledger_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("movement", sa.String(length=60), nullable=False),
        sa.Column("account", sa.String(length=80), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("payment_id", sa.String(length=40), nullable=False),
        sa.Column("matter", sa.String(length=40), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_fen <> 0", name=op.f("ck_payments_ledger_entry_amount")),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments_payment.id"], name=op.f("fk_payments_ledger_entry_payment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments_ledger_entry")),
    )
    op.create_index("ix_payments_ledger_entry_account", "payments_ledger_entry", ["account"], unique=False)
    op.create_index(
        "ix_payments_ledger_entry_payment_id", "payments_ledger_entry", ["payment_id"], unique=False
    )
    op.create_index(
        "uq_payments_ledger_entry_movement", "payments_ledger_entry", ["movement", "account"], unique=True
    )
    op.create_table(
        "payments_receipt",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("payment_id", sa.String(length=40), nullable=False),
        sa.Column("serial", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("code", sa.String(length=8), nullable=False),
        sa.Column("check_code", sa.String(length=6), nullable=False),
        sa.Column("payee", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments_payment.id"], name=op.f("fk_payments_receipt_payment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments_receipt")),
    )
    op.create_index("uq_payments_receipt_payment_id", "payments_receipt", ["payment_id"], unique=True)
    op.create_table(
        "payments_refund",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("payment_id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("matter", sa.String(length=40), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("owed", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=80), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("reference", sa.String(length=64), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("ask_next_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_payments_refund_amount")),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments_payment.id"], name=op.f("fk_payments_refund_payment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments_refund")),
        sa.UniqueConstraint("number", name=op.f("uq_payments_refund_number")),
    )
    op.create_index(
        "ix_payments_refund_ask_next_at",
        "payments_refund",
        ["ask_next_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('requested', 'sent')"),
    )
    op.create_index("ix_payments_refund_payment_id", "payments_refund", ["payment_id"], unique=False)
    op.create_table(
        "people_address",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("place", sa.LargeBinary(), nullable=False),
        sa.Column("region_code", sa.String(length=12), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people_person.id"], name=op.f("fk_people_address_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people_address")),
    )
    op.create_index("ix_people_address_person_id", "people_address", ["person_id"], unique=False)
    op.create_table(
        "people_channel",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("outside_id", sa.LargeBinary(), nullable=False),
        sa.Column("outside_blind", sa.LargeBinary(length=32), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people_person.id"], name=op.f("fk_people_channel_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people_channel")),
    )
    op.create_index("ix_people_channel_person_id", "people_channel", ["person_id"], unique=False)
    op.create_index(
        "uq_people_channel_one_phone",
        "people_channel",
        ["person_id"],
        unique=True,
        postgresql_where=sa.text("channel = 'phone'"),
    )
    op.create_index("uq_people_channel_outside", "people_channel", ["channel", "outside_blind"], unique=True)
    op.create_table(
        "people_consent",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("scope", sa.String(length=20), nullable=False),
        sa.Column("version", sa.String(length=20), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people_person.id"], name=op.f("fk_people_consent_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people_consent")),
    )
    op.create_index(
        "uq_people_consent_once", "people_consent", ["person_id", "scope", "version"], unique=True
    )
    op.create_table(
        "people_party",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=True),
        sa.Column("name", sa.LargeBinary(), nullable=True),
        sa.Column("credit_code", sa.LargeBinary(), nullable=True),
        sa.Column("credit_code_blind", sa.LargeBinary(length=32), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(kind = 'legal') = (credit_code_blind IS NOT NULL)", name=op.f("ck_people_party_legal_has_code")
        ),
        sa.CheckConstraint(
            "(kind = 'natural') = (person_id IS NOT NULL)", name=op.f("ck_people_party_natural_is_a_person")
        ),
        sa.CheckConstraint("kind IN ('natural', 'legal')", name=op.f("ck_people_party_kind")),
        sa.ForeignKeyConstraint(["person_id"], ["people_person.id"], name=op.f("fk_people_party_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people_party")),
        sa.UniqueConstraint("credit_code_blind", name=op.f("uq_people_party_credit_code_blind")),
        sa.UniqueConstraint("person_id", name=op.f("uq_people_party_person_id")),
    )
    op.create_table(
        "people_refresh_token",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("session_id", sa.String(length=40), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("good_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("spent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("spent_key", sa.LargeBinary(length=32), nullable=True),
        sa.Column("successor", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["people_session.id"],
            name=op.f("fk_people_refresh_token_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_people_refresh_token")),
    )
    op.create_index(
        "ix_people_refresh_token_session_id", "people_refresh_token", ["session_id"], unique=False
    )
    op.create_table(
        "people_staff_password",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("staff_id", sa.String(length=40), nullable=False),
        sa.Column("hash", sa.String(length=200), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["people_staff.id"], name=op.f("fk_people_staff_password_staff_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people_staff_password")),
    )
    op.create_index("ix_people_staff_password_staff_id", "people_staff_password", ["staff_id"], unique=False)
    op.create_table(
        "people_staff_role",
        sa.Column("staff_id", sa.String(length=40), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("department_id", sa.String(length=40), nullable=True),
        sa.Column("region_code", sa.String(length=12), nullable=True),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("granted_by", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["people_staff.id"], name=op.f("fk_people_staff_role_staff_id")
        ),
        sa.PrimaryKeyConstraint("staff_id", "role", name=op.f("pk_people_staff_role")),
    )
    op.create_index(
        "uq_people_staff_role_one_admin",
        "people_staff_role",
        ["staff_id"],
        unique=True,
        postgresql_where=sa.text("role IN ('system_admin', 'security_admin', 'audit_admin')"),
    )
    op.create_table(
        "people_system_key",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("system_id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("issued_by", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("good_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["system_id"], ["people_system.id"], name=op.f("fk_people_system_key_system_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people_system_key")),
    )
    op.create_index("ix_people_system_key_system_id", "people_system_key", ["system_id"], unique=False)
    op.create_table(
        "booking_booking",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("slot_id", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("case_id", sa.String(length=40), nullable=True),
        sa.Column("item_id", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("check_in_code", sa.LargeBinary(), nullable=False),
        sa.Column("check_in_tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["slot_id"], ["booking_slot.id"], name=op.f("fk_booking_booking_slot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_booking")),
    )
    op.create_index(
        "ix_booking_booking_held",
        "booking_booking",
        ["held_until"],
        unique=False,
        postgresql_where=sa.text("state = 'held'"),
    )
    op.create_index("ix_booking_booking_person", "booking_booking", ["person_id", "id"], unique=False)
    op.create_index("ix_booking_booking_slot", "booking_booking", ["slot_id"], unique=False)
    op.create_index(
        "uq_booking_booking_case",
        "booking_booking",
        ["case_id"],
        unique=True,
        postgresql_where=sa.text("case_id IS NOT NULL AND state IN ('held', 'confirmed', 'checked_in')"),
    )
    op.create_index(
        "uq_booking_booking_person_item",
        "booking_booking",
        ["person_id", "item_id", "subject"],
        unique=True,
        postgresql_where=sa.text("state IN ('held', 'confirmed', 'checked_in')"),
    )
    op.create_table(
        "booking_place",
        sa.Column("slot_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("booking_id", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["slot_id"], ["booking_slot.id"], name=op.f("fk_booking_place_slot_id")),
        sa.PrimaryKeyConstraint("slot_id", "number", name=op.f("pk_booking_place")),
        sa.UniqueConstraint("booking_id", name=op.f("uq_booking_place_booking_id")),
    )
    op.create_index(
        "ix_booking_place_free",
        "booking_place",
        ["slot_id", "number"],
        unique=False,
        postgresql_where=sa.text("booking_id IS NULL"),
    )
    op.create_table(
        "cases_upload",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("owner_id", sa.String(length=40), nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("key_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("purge_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("material_id", sa.String(length=40), nullable=True),
        sa.Column("result_of", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(
            ["material_id"], ["cases_material.id"], name=op.f("fk_cases_upload_material_id")
        ),
        sa.ForeignKeyConstraint(["result_of"], ["cases_case.id"], name=op.f("fk_cases_upload_result_of")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases_upload")),
    )
    op.create_index("ix_cases_upload_material_id", "cases_upload", ["material_id"], unique=False)
    op.create_index("ix_cases_upload_owner_id", "cases_upload", ["owner_id"], unique=False)
    op.create_index(
        "ix_cases_upload_purge",
        "cases_upload",
        ["purge_at"],
        unique=False,
        postgresql_where=sa.text("purge_at IS NOT NULL"),
    )
    op.create_table(
        "people_representation",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("party_id", sa.String(length=40), nullable=False),
        sa.Column("agent_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('representative', 'agent', 'relative')", name=op.f("ck_people_representation_kind")
        ),
        sa.ForeignKeyConstraint(
            ["agent_id"], ["people_person.id"], name=op.f("fk_people_representation_agent_id")
        ),
        sa.ForeignKeyConstraint(
            ["party_id"], ["people_party.id"], name=op.f("fk_people_representation_party_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people_representation")),
    )
    op.create_index("ix_people_representation_agent_id", "people_representation", ["agent_id"], unique=False)
    op.create_table(
        "cases_result",
        sa.Column("case_id", sa.String(length=40), nullable=False),
        sa.Column("numbers_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("upload_id", sa.String(length=40), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases_case.id"], name=op.f("fk_cases_result_case_id")),
        sa.ForeignKeyConstraint(["upload_id"], ["cases_upload.id"], name=op.f("fk_cases_result_upload_id")),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_cases_result")),
    )

    # Append-only guards and the first partitions: what the metadata cannot say.
    schema.finish(op.get_bind())


def downgrade() -> None:
    op.drop_table("cases_result")
    op.drop_index("ix_people_representation_agent_id", table_name="people_representation")
    op.drop_table("people_representation")
    op.drop_index(
        "ix_cases_upload_purge", table_name="cases_upload", postgresql_where=sa.text("purge_at IS NOT NULL")
    )
    op.drop_index("ix_cases_upload_owner_id", table_name="cases_upload")
    op.drop_index("ix_cases_upload_material_id", table_name="cases_upload")
    op.drop_table("cases_upload")
    op.drop_index(
        "ix_booking_place_free", table_name="booking_place", postgresql_where=sa.text("booking_id IS NULL")
    )
    op.drop_table("booking_place")
    op.drop_index(
        "uq_booking_booking_person_item",
        table_name="booking_booking",
        postgresql_where=sa.text("state IN ('held', 'confirmed', 'checked_in')"),
    )
    op.drop_index(
        "uq_booking_booking_case",
        table_name="booking_booking",
        postgresql_where=sa.text("case_id IS NOT NULL AND state IN ('held', 'confirmed', 'checked_in')"),
    )
    op.drop_index("ix_booking_booking_slot", table_name="booking_booking")
    op.drop_index("ix_booking_booking_person", table_name="booking_booking")
    op.drop_index(
        "ix_booking_booking_held", table_name="booking_booking", postgresql_where=sa.text("state = 'held'")
    )
    op.drop_table("booking_booking")
    op.drop_index("ix_people_system_key_system_id", table_name="people_system_key")
    op.drop_table("people_system_key")
    op.drop_index(
        "uq_people_staff_role_one_admin",
        table_name="people_staff_role",
        postgresql_where=sa.text("role IN ('system_admin', 'security_admin', 'audit_admin')"),
    )
    op.drop_table("people_staff_role")
    op.drop_index("ix_people_staff_password_staff_id", table_name="people_staff_password")
    op.drop_table("people_staff_password")
    op.drop_index("ix_people_refresh_token_session_id", table_name="people_refresh_token")
    op.drop_table("people_refresh_token")
    op.drop_table("people_party")
    op.drop_index("uq_people_consent_once", table_name="people_consent")
    op.drop_table("people_consent")
    op.drop_index("uq_people_channel_outside", table_name="people_channel")
    op.drop_index(
        "uq_people_channel_one_phone",
        table_name="people_channel",
        postgresql_where=sa.text("channel = 'phone'"),
    )
    op.drop_index("ix_people_channel_person_id", table_name="people_channel")
    op.drop_table("people_channel")
    op.drop_index("ix_people_address_person_id", table_name="people_address")
    op.drop_table("people_address")
    op.drop_index("ix_payments_refund_payment_id", table_name="payments_refund")
    op.drop_index(
        "ix_payments_refund_ask_next_at",
        table_name="payments_refund",
        postgresql_where=sa.text("state IN ('requested', 'sent')"),
    )
    op.drop_table("payments_refund")
    op.drop_index("uq_payments_receipt_payment_id", table_name="payments_receipt")
    op.drop_table("payments_receipt")
    op.drop_index("uq_payments_ledger_entry_movement", table_name="payments_ledger_entry")
    op.drop_index("ix_payments_ledger_entry_payment_id", table_name="payments_ledger_entry")
    op.drop_index("ix_payments_ledger_entry_account", table_name="payments_ledger_entry")
    op.drop_table("payments_ledger_entry")
    op.drop_index("ix_payments_bill_reader_person_id", table_name="payments_bill_reader")
    op.drop_table("payments_bill_reader")
    op.drop_index("ix_courier_trace_parcel_id", table_name="courier_trace")
    op.drop_table("courier_trace")
    op.drop_index("ix_courier_piece_parcel_id", table_name="courier_piece")
    op.drop_table("courier_piece")
    op.drop_index("ix_courier_order_parcel_id", table_name="courier_order")
    op.drop_index(
        "ix_courier_order_open",
        table_name="courier_order",
        postgresql_where=sa.text("state IN ('asking', 'unknown', 'cancelling')"),
    )
    op.drop_table("courier_order")
    op.drop_table("courier_handover")
    op.drop_index(
        "uq_catalogue_item_version_published",
        table_name="catalogue_item_version",
        postgresql_where=sa.text("state = 'published'"),
    )
    op.drop_index("ix_catalogue_item_version_state", table_name="catalogue_item_version")
    op.drop_index(op.f("ix_catalogue_item_version_department_id"), table_name="catalogue_item_version")
    op.drop_table("catalogue_item_version")
    op.drop_index(op.f("ix_catalogue_calendar_day_year"), table_name="catalogue_calendar_day")
    op.drop_table("catalogue_calendar_day")
    op.drop_table("cases_pause")
    op.drop_table("cases_material")
    op.drop_index(
        "uq_cases_correction_open",
        table_name="cases_correction",
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.drop_table("cases_correction")
    op.drop_index("ix_booking_slot_item", table_name="booking_slot")
    op.drop_table("booking_slot")
    op.drop_table("store_stream")
    op.drop_table("store_signed_head")
    op.drop_table("store_outbox")
    op.drop_table("store_notice_key")
    op.drop_index("ix_store_notice_subject", table_name="store_notice")
    op.drop_table("store_notice")
    op.drop_table("store_key_print")
    op.drop_table("store_journal")
    op.drop_index(
        "ix_store_delivery_unfinished",
        table_name="store_delivery",
        postgresql_where=sa.text("state <> 'done'"),
    )
    op.drop_index(
        "ix_store_delivery_due", table_name="store_delivery", postgresql_where=sa.text("state = 'due'")
    )
    op.drop_table("store_delivery")
    op.drop_table("store_data_key")
    op.drop_table("store_chore")
    op.drop_index("ix_store_answer_expires_at", table_name="store_answer")
    op.drop_table("store_answer")
    op.drop_table("runtime_provider_token")
    op.drop_index("ix_people_tally_opened_at", table_name="people_tally")
    op.drop_table("people_tally")
    op.drop_table("people_system")
    op.drop_table("people_staff")
    op.drop_index(
        "ix_people_session_subject", table_name="people_session", postgresql_where=sa.text("ended_at IS NULL")
    )
    op.drop_index("ix_people_session_good_until", table_name="people_session")
    op.drop_table("people_session")
    op.drop_table("people_rider")
    op.drop_index("ix_people_phone_answer_heard_at", table_name="people_phone_answer")
    op.drop_table("people_phone_answer")
    op.drop_index("ix_people_person_tail_blind", table_name="people_person")
    op.drop_index("ix_people_person_phone_blind", table_name="people_person")
    op.drop_index("ix_people_person_name_blind", table_name="people_person")
    op.drop_table("people_person")
    op.drop_index("ix_people_nonce_heard_at", table_name="people_nonce")
    op.drop_table("people_nonce")
    op.drop_index("ix_people_code_good_until", table_name="people_code")
    op.drop_table("people_code")
    op.drop_index("ix_people_access_log_person", table_name="people_access_log")
    op.drop_table("people_access_log")
    op.drop_index(
        "uq_payments_payment_settles", table_name="payments_payment", postgresql_where=sa.text("settles")
    )
    op.drop_index(
        "uq_payments_payment_live",
        table_name="payments_payment",
        postgresql_where=sa.text("state IN ('created', 'awaiting')"),
    )
    op.drop_index("ix_payments_payment_subject", table_name="payments_payment")
    op.drop_index("ix_payments_payment_person_id", table_name="payments_payment")
    op.drop_index(
        "ix_payments_payment_ask_next_at",
        table_name="payments_payment",
        postgresql_where=sa.text("state IN ('created', 'awaiting', 'closing')"),
    )
    op.drop_table("payments_payment")
    op.drop_table("payments_lookup_tally")
    op.drop_index("ix_payments_bill_department_id", table_name="payments_bill")
    op.drop_table("payments_bill")
    op.drop_index("ix_notifications_message_state", table_name="notifications_message")
    op.drop_index(
        "ix_notifications_message_provider",
        table_name="notifications_message",
        postgresql_where=sa.text("provider_id IS NOT NULL"),
    )
    op.drop_index("ix_notifications_message_inbox", table_name="notifications_message")
    op.drop_index(
        "ix_notifications_message_held",
        table_name="notifications_message",
        postgresql_where=sa.text("state = 'sending'"),
    )
    op.drop_index(
        "ix_notifications_message_due",
        table_name="notifications_message",
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.drop_index(
        "ix_notifications_message_away",
        table_name="notifications_message",
        postgresql_where=sa.text("state IN ('sending', 'unknown')"),
    )
    op.drop_index(
        "ix_notifications_message_ask",
        table_name="notifications_message",
        postgresql_where=sa.text("ask_at IS NOT NULL"),
    )
    op.drop_index("ix_notifications_message_about", table_name="notifications_message")
    op.drop_table("notifications_message")
    op.drop_table("notifications_grant")
    op.drop_index(
        "uq_courier_parcel_open_pickup",
        table_name="courier_parcel",
        postgresql_where=sa.text("purpose = 'materials' AND state IN ('created', 'ordered', 'assigned')"),
    )
    op.drop_index("ix_courier_parcel_waybill_no", table_name="courier_parcel")
    op.drop_index(
        "ix_courier_parcel_rider_id",
        table_name="courier_parcel",
        postgresql_where=sa.text("rider_id IS NOT NULL"),
    )
    op.drop_index("ix_courier_parcel_person_id", table_name="courier_parcel")
    op.drop_index(
        "ix_courier_parcel_moving", table_name="courier_parcel", postgresql_where=sa.text("closed_at IS NULL")
    )
    op.drop_index("ix_courier_parcel_matter", table_name="courier_parcel")
    op.drop_index("ix_courier_parcel_department_id", table_name="courier_parcel")
    op.drop_index(
        "ix_courier_parcel_closed_at",
        table_name="courier_parcel",
        postgresql_where=sa.text("closed_at IS NOT NULL"),
    )
    op.drop_table("courier_parcel")
    op.drop_table("catalogue_region")
    op.drop_table("catalogue_item")
    op.drop_table("catalogue_department")
    op.drop_table("catalogue_calendar_year")
    op.drop_index("ix_cases_case_queue", table_name="cases_case")
    op.drop_index(
        "ix_cases_case_provisional",
        table_name="cases_case",
        postgresql_where=sa.text(
            "pre_review_due_at_provisional OR deemed_acceptance_on_provisional OR correction_due_on_provisional OR promised_on_provisional OR legal_on_provisional OR delivery_due_on_provisional"
        ),
    )
    op.drop_index(
        "ix_cases_case_pre_review", table_name="cases_case", postgresql_where=sa.text("state = 'submitted'")
    )
    op.drop_index("ix_cases_case_person", table_name="cases_case")
    op.drop_index(
        "ix_cases_case_lapse", table_name="cases_case", postgresql_where=sa.text("state = 'correcting'")
    )
    op.drop_index(
        "ix_cases_case_due", table_name="cases_case", postgresql_where=sa.text("due_on IS NOT NULL")
    )
    op.drop_index(
        "ix_cases_case_deemed",
        table_name="cases_case",
        postgresql_where=sa.text("deemed_acceptance_on IS NOT NULL"),
    )
    op.drop_table("cases_case")
    op.drop_table("booking_site")
    schema.take_away(op.get_bind())
