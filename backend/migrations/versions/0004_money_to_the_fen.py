"""Money to the fen: sealed ledger, statements and differences, treasury refunds, payees, receipts with proof.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "payments_bank_credit",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("payee", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("credited_on", sa.Date(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("told_by", sa.String(length=40), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_by", sa.String(length=40), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawal", sa.String(length=200), nullable=True),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_payments_bank_credit_amount")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments_bank_credit")),
    )
    op.create_index(
        "uq_payments_bank_credit_reference",
        "payments_bank_credit",
        ["payee", "reference"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_table(
        "payments_ledger_seal",
        sa.Column("account", sa.String(length=80), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("first_entry", sa.BigInteger(), nullable=False),
        sa.Column("last_entry", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("sum_fen", sa.BigInteger(), nullable=False),
        sa.Column("link", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account", "seq", name=op.f("pk_payments_ledger_seal")),
    )
    op.create_table(
        "payments_pay_link",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=48), nullable=False),
        sa.Column("owner_id", sa.String(length=40), nullable=False),
        sa.Column("code_blind", sa.LargeBinary(length=32), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments_pay_link")),
        sa.UniqueConstraint("code_blind", name=op.f("uq_payments_pay_link_code_blind")),
    )
    op.create_index(
        "ix_payments_pay_link_owner_id", "payments_pay_link", ["owner_id", "subject"], unique=False
    )
    op.create_table(
        "payments_payee",
        sa.Column("department_id", sa.String(length=40), nullable=False),
        sa.Column("unit_code", sa.String(length=30), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("region_code", sa.String(length=12), nullable=False),
        sa.Column("purse", sa.String(length=8), nullable=False),
        sa.Column("bank_name", sa.String(length=80), nullable=False),
        sa.Column("bank_account", sa.LargeBinary(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("purse IN ('treasury', 'own')", name=op.f("ck_payments_payee_purse")),
        sa.PrimaryKeyConstraint("department_id", name=op.f("pk_payments_payee")),
        sa.UniqueConstraint("unit_code", name=op.f("uq_payments_payee_unit_code")),
    )
    op.create_table(
        "payments_statement",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("paid_fen", sa.BigInteger(), nullable=False),
        sa.Column("returned_fen", sa.BigInteger(), nullable=False),
        sa.Column("fee_fen", sa.BigInteger(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reconciled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("ask_next_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments_statement")),
    )
    op.create_index(
        "ix_payments_statement_ask_next_at",
        "payments_statement",
        ["ask_next_at"],
        unique=False,
        postgresql_where=sa.text("state = 'wanted'"),
    )
    op.create_index("uq_payments_statement_day", "payments_statement", ["channel", "day"], unique=True)
    op.create_table(
        "payments_statement_line",
        sa.Column("statement_id", sa.String(length=40), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("payment_number", sa.String(length=64), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("fee_fen", sa.BigInteger(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("again", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("statement_id", "line", name=op.f("pk_payments_statement_line")),
    )
    op.create_index("ix_payments_statement_line_number", "payments_statement_line", ["number"], unique=False)
    op.create_table(
        "payments_bill_item",
        sa.Column("bill_id", sa.String(length=40), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=30), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("fee_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("fee_fen > 0", name=op.f("ck_payments_bill_item_fee")),
        sa.ForeignKeyConstraint(
            ["bill_id"], ["payments_bill.id"], name=op.f("fk_payments_bill_item_bill_id")
        ),
        sa.PrimaryKeyConstraint("bill_id", "no", name=op.f("pk_payments_bill_item")),
    )
    op.create_table(
        "payments_bill_reminder",
        sa.Column("bill_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["bill_id"], ["payments_bill.id"], name=op.f("fk_payments_bill_reminder_bill_id")
        ),
        sa.PrimaryKeyConstraint("bill_id", "kind", name=op.f("pk_payments_bill_reminder")),
    )
    op.create_table(
        "payments_difference",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("statement_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("payment_id", sa.String(length=40), nullable=True),
        sa.Column("refund_id", sa.String(length=40), nullable=True),
        sa.Column("department_id", sa.String(length=40), nullable=True),
        sa.Column("ours_fen", sa.BigInteger(), nullable=True),
        sa.Column("theirs_fen", sa.BigInteger(), nullable=True),
        sa.Column("proposal", sa.String(length=20), nullable=False),
        sa.Column("decision", sa.String(length=20), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("decided_by", sa.String(length=40), nullable=True),
        sa.Column("confirmed_by", sa.String(length=40), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("explanation", sa.String(length=200), nullable=True),
        sa.Column("explained_to", sa.String(length=20), nullable=True),
        sa.Column("explained_by", sa.String(length=40), nullable=True),
        sa.Column("explanation_confirmed_by", sa.String(length=40), nullable=True),
        sa.Column("explained_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("explained_department", sa.String(length=40), nullable=True),
        sa.Column("payout_fen", sa.BigInteger(), nullable=True),
        sa.Column("credit_id", sa.String(length=40), nullable=True),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("ask_next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("look_next_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "credit_id IS NULL OR payout_fen IS NOT NULL", name=op.f("ck_payments_difference_credited")
        ),
        sa.ForeignKeyConstraint(
            ["credit_id"], ["payments_bank_credit.id"], name=op.f("fk_payments_difference_credit_id")
        ),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["payments_statement.id"], name=op.f("fk_payments_difference_statement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments_difference")),
    )
    op.create_index(
        "ix_payments_difference_ask_next_at",
        "payments_difference",
        ["ask_next_at"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "ix_payments_difference_credit_id",
        "payments_difference",
        ["credit_id"],
        unique=False,
        postgresql_where=sa.text("credit_id IS NOT NULL"),
    )
    op.create_index(
        "ix_payments_difference_look_next_at",
        "payments_difference",
        ["look_next_at"],
        unique=False,
        postgresql_where=sa.text("state <> 'solved'"),
    )
    op.create_index(
        "ix_payments_difference_number",
        "payments_difference",
        ["number"],
        unique=False,
        postgresql_where=sa.text("state <> 'solved'"),
    )
    op.create_index(
        "ix_payments_difference_payout",
        "payments_difference",
        ["explained_department"],
        unique=False,
        postgresql_where=sa.text("payout_fen IS NOT NULL AND credit_id IS NULL"),
    )
    op.create_index(
        "uq_payments_difference_line", "payments_difference", ["statement_id", "kind", "number"], unique=True
    )
    op.create_table(
        "payments_set_aside",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("notice_id", sa.String(length=40), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("number", sa.String(length=80), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=True),
        sa.Column("payment_id", sa.String(length=40), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_by", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments_payment.id"], name=op.f("fk_payments_set_aside_payment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments_set_aside")),
        sa.UniqueConstraint("notice_id", name=op.f("uq_payments_set_aside_notice_id")),
    )
    op.create_index(
        "ix_payments_set_aside_open",
        "payments_set_aside",
        ["id"],
        unique=False,
        postgresql_where=sa.text("seen_at IS NULL"),
    )
    op.create_index("ix_payments_set_aside_payment_id", "payments_set_aside", ["payment_id"], unique=False)
    op.create_table(
        "payments_settlement",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("statement_id", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("payee", sa.String(length=40), nullable=False),
        sa.Column("payments", sa.Integer(), nullable=False),
        sa.Column("paid_fen", sa.BigInteger(), nullable=False),
        sa.Column("returned_fen", sa.BigInteger(), nullable=False),
        sa.Column("fee_fen", sa.BigInteger(), nullable=False),
        sa.Column("net_fen", sa.BigInteger(), nullable=False),
        sa.Column("credit_id", sa.String(length=40), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["credit_id"], ["payments_bank_credit.id"], name=op.f("fk_payments_settlement_credit_id")
        ),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["payments_statement.id"], name=op.f("fk_payments_settlement_statement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments_settlement")),
    )
    op.create_index("ix_payments_settlement_credit_id", "payments_settlement", ["credit_id"], unique=False)
    op.create_index(
        "uq_payments_settlement_day", "payments_settlement", ["channel", "day", "payee"], unique=True
    )
    op.add_column(
        "payments_bill", sa.Column("unit_code", sa.String(length=30), server_default="", nullable=False)
    )
    op.add_column("payments_bill", sa.Column("overdue_ppm", sa.Integer(), server_default="0", nullable=False))
    op.add_column("payments_bill", sa.Column("paid_overdue_fen", sa.BigInteger(), nullable=True))
    op.add_column("payments_bill", sa.Column("paid_penalty_fen", sa.BigInteger(), nullable=True))
    op.add_column("payments_bill", sa.Column("payer", sa.LargeBinary(), nullable=True))
    op.add_column("payments_bill", sa.Column("payer_blind", sa.LargeBinary(length=32), nullable=True))
    op.create_index(
        "ix_payments_bill_due_on",
        "payments_bill",
        ["due_on"],
        unique=False,
        postgresql_where=sa.text("state = 'due' AND payer_blind IS NOT NULL"),
    )
    op.create_index("ix_payments_bill_payer_blind", "payments_bill", ["payer_blind", "id"], unique=False)
    op.add_column(
        "payments_ledger_entry",
        sa.Column(
            "tx",
            sa.BigInteger(),
            server_default=sa.text("(pg_current_xact_id()::text)::bigint"),
            nullable=False,
        ),
    )
    op.alter_column("payments_ledger_entry", "payment_id", existing_type=sa.VARCHAR(length=40), nullable=True)
    op.drop_index(op.f("ix_payments_ledger_entry_account"), table_name="payments_ledger_entry")
    op.create_index(
        "ix_payments_ledger_entry_account", "payments_ledger_entry", ["account", "id"], unique=False
    )
    op.add_column("payments_payment", sa.Column("owed_by", sa.String(length=40), nullable=True))
    op.add_column("payments_payment", sa.Column("region_code", sa.String(length=12), nullable=True))
    op.add_column(
        "payments_payment", sa.Column("product", sa.String(length=8), server_default="mini", nullable=False)
    )
    op.add_column("payments_payment", sa.Column("received_fen", sa.BigInteger(), nullable=True))
    op.add_column("payments_payment", sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("payments_payment", sa.Column("purse", sa.String(length=8), nullable=True))
    op.add_column(
        "payments_payment", sa.Column("asked_by_payer", sa.SmallInteger(), server_default="0", nullable=False)
    )
    op.alter_column(
        "payments_payment",
        "ticket",
        existing_type=sa.VARCHAR(length=128),
        type_=sa.Text(),
        existing_nullable=True,
    )
    op.create_index(
        "ix_payments_payment_disputed",
        "payments_payment",
        ["ask_next_at"],
        unique=False,
        postgresql_where=sa.text("state = 'disputed'"),
    )
    op.create_index(
        "ix_payments_payment_paid_at", "payments_payment", ["paid_at"], unique=False, postgresql_using="brin"
    )
    op.create_index(
        "ix_payments_payment_reference",
        "payments_payment",
        ["reference"],
        unique=False,
        postgresql_where=sa.text("reference IS NOT NULL"),
    )
    op.add_column("payments_receipt", sa.Column("owner_id", sa.String(length=40), nullable=True))
    op.add_column("payments_receipt", sa.Column("edition", sa.Integer(), server_default="1", nullable=False))
    op.add_column(
        "payments_receipt", sa.Column("state", sa.String(length=20), nullable=False, server_default="issued")
    )
    op.add_column("payments_receipt", sa.Column("matter", sa.String(length=40), nullable=True))
    op.add_column("payments_receipt", sa.Column("number", sa.String(length=10), nullable=True))
    op.add_column("payments_receipt", sa.Column("proof", sa.String(length=64), nullable=True))
    op.add_column("payments_receipt", sa.Column("payer", sa.LargeBinary(), nullable=True))
    op.add_column("payments_receipt", sa.Column("unit_code", sa.String(length=30), nullable=True))
    op.add_column("payments_receipt", sa.Column("unit_name", sa.String(length=80), nullable=True))
    op.add_column("payments_receipt", sa.Column("region_code", sa.String(length=12), nullable=True))
    op.add_column("payments_receipt", sa.Column("wanted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("payments_receipt", sa.Column("reference", sa.String(length=64), nullable=True))
    op.add_column("payments_receipt", sa.Column("failure", sa.Text(), nullable=True))
    op.add_column("payments_receipt", sa.Column("asked", sa.Integer(), nullable=True))
    op.add_column("payments_receipt", sa.Column("ask_next_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "UPDATE payments_receipt r SET matter = p.matter, owner_id = p.person_id, proof = replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), wanted_at = r.issued_at, asked = 0, "
        "ask_next_at = r.issued_at, number = lpad(r.serial::text, 10, '0'), "
        "state = CASE WHEN r.voided_at IS NULL THEN 'issued' ELSE 'void' END "
        "FROM payments_payment p WHERE p.id = r.payment_id"
    )
    op.alter_column("payments_receipt", "state", server_default=None)
    for column in ("matter", "owner_id", "proof", "wanted_at", "asked", "ask_next_at"):
        op.alter_column("payments_receipt", column, nullable=False)
    op.alter_column("payments_receipt", "code", existing_type=sa.VARCHAR(length=8), nullable=True)
    op.alter_column("payments_receipt", "check_code", existing_type=sa.VARCHAR(length=6), nullable=True)
    op.alter_column(
        "payments_receipt", "issued_at", existing_type=postgresql.TIMESTAMP(timezone=True), nullable=True
    )
    op.drop_index(op.f("uq_payments_receipt_payment_id"), table_name="payments_receipt")
    op.create_index(
        "ix_payments_receipt_ask_next_at",
        "payments_receipt",
        ["ask_next_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('wanted', 'voiding')"),
    )
    op.create_index("ix_payments_receipt_owner_id", "payments_receipt", ["owner_id", "id"], unique=False)
    op.create_index("uq_payments_receipt_edition", "payments_receipt", ["payment_id", "edition"], unique=True)
    op.create_index("uq_payments_receipt_number", "payments_receipt", ["code", "number"], unique=True)
    op.create_index("uq_payments_receipt_proof", "payments_receipt", ["proof"], unique=True)
    op.drop_column("payments_receipt", "serial")
    op.add_column(
        "payments_refund", sa.Column("way", sa.String(length=8), server_default="channel", nullable=False)
    )
    op.add_column("payments_refund", sa.Column("retry_of", sa.String(length=40), nullable=True))
    op.add_column(
        "payments_refund",
        sa.Column("superseded", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column(
        "payments_refund", sa.Column("asked_by", sa.String(length=40), server_default="", nullable=False)
    )
    op.add_column("payments_refund", sa.Column("approved_by", sa.String(length=40), nullable=True))
    op.add_column("payments_refund", sa.Column("confirmed_by", sa.String(length=40), nullable=True))
    op.add_column(
        "payments_refund",
        sa.Column("withdraw_bill", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("payments_refund", sa.Column("decision", sa.String(length=80), nullable=True))
    op.drop_index(
        op.f("ix_payments_refund_ask_next_at"),
        table_name="payments_refund",
        postgresql_where="((state)::text = ANY ((ARRAY['requested'::character varying, 'sent'::character varying])::text[]))",
    )
    op.create_index(
        "ix_payments_refund_retry_of",
        "payments_refund",
        ["retry_of"],
        unique=False,
        postgresql_where=sa.text("retry_of IS NOT NULL"),
    )
    op.create_index(
        "ix_payments_refund_returned_at",
        "payments_refund",
        ["returned_at"],
        unique=False,
        postgresql_using="brin",
    )
    op.create_index(
        "ix_payments_refund_under_way",
        "payments_refund",
        ["ask_next_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('requested', 'sent', 'stuck')"),
    )
    op.create_index(
        "ix_payments_refund_waiting",
        "payments_refund",
        ["state"],
        unique=False,
        postgresql_where=sa.text("state IN ('asked', 'second', 'listed', 'submitted', 'stuck', 'failed')"),
    )

    op.drop_constraint(op.f("ck_payments_bill_notice_no"), "payments_bill", type_="check")
    op.create_check_constraint(
        op.f("ck_payments_bill_notice_no"), "payments_bill", "notice_no ~ '^([0-9]{16}|[0-9]{20})$'"
    )
    op.create_check_constraint(
        op.f("ck_payments_bill_overdue_rate"), "payments_bill", "overdue_ppm BETWEEN 0 AND 100000"
    )
    op.execute(
        "UPDATE payments_payment p SET region_code = c.region_code FROM cases_case c "
        "WHERE p.subject = 'case:' || c.id"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_payments_bill_overdue_rate"), "payments_bill", type_="check")
    op.drop_constraint(op.f("ck_payments_bill_notice_no"), "payments_bill", type_="check")
    op.execute(
        "ALTER TABLE payments_bill ADD CONSTRAINT ck_payments_bill_notice_no"
        " CHECK (notice_no ~ '^[0-9]{20}$') NOT VALID"
    )
    op.drop_index(
        "ix_payments_refund_waiting",
        table_name="payments_refund",
        postgresql_where=sa.text("state IN ('asked', 'second', 'listed', 'submitted', 'stuck', 'failed')"),
    )
    op.drop_index(
        "ix_payments_refund_under_way",
        table_name="payments_refund",
        postgresql_where=sa.text("state IN ('requested', 'sent', 'stuck')"),
    )
    op.drop_index("ix_payments_refund_returned_at", table_name="payments_refund", postgresql_using="brin")
    op.drop_index(
        "ix_payments_refund_retry_of",
        table_name="payments_refund",
        postgresql_where=sa.text("retry_of IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_payments_refund_ask_next_at"),
        "payments_refund",
        ["ask_next_at"],
        unique=False,
        postgresql_where="((state)::text = ANY ((ARRAY['requested'::character varying, 'sent'::character varying])::text[]))",
    )
    op.drop_column("payments_refund", "decision")
    op.drop_column("payments_refund", "withdraw_bill")
    op.drop_column("payments_refund", "confirmed_by")
    op.drop_column("payments_refund", "approved_by")
    op.drop_column("payments_refund", "asked_by")
    op.drop_column("payments_refund", "superseded")
    op.drop_column("payments_refund", "retry_of")
    op.drop_column("payments_refund", "way")
    op.add_column(
        "payments_receipt",
        sa.Column(
            "serial",
            sa.BIGINT(),
            sa.Identity(
                always=True,
                start=1,
                increment=1,
                minvalue=1,
                maxvalue=9223372036854775807,
                cycle=False,
                cache=1,
            ),
            autoincrement=True,
            nullable=False,
        ),
    )
    op.drop_index("uq_payments_receipt_proof", table_name="payments_receipt")
    op.drop_index("uq_payments_receipt_number", table_name="payments_receipt")
    op.drop_index("uq_payments_receipt_edition", table_name="payments_receipt")
    op.drop_index("ix_payments_receipt_owner_id", table_name="payments_receipt")
    op.drop_index(
        "ix_payments_receipt_ask_next_at",
        table_name="payments_receipt",
        postgresql_where=sa.text("state IN ('wanted', 'voiding')"),
    )
    op.create_index(op.f("uq_payments_receipt_payment_id"), "payments_receipt", ["payment_id"], unique=True)
    op.alter_column(
        "payments_receipt", "issued_at", existing_type=postgresql.TIMESTAMP(timezone=True), nullable=False
    )
    op.alter_column("payments_receipt", "check_code", existing_type=sa.VARCHAR(length=6), nullable=False)
    op.alter_column("payments_receipt", "code", existing_type=sa.VARCHAR(length=8), nullable=False)
    op.drop_column("payments_receipt", "ask_next_at")
    op.drop_column("payments_receipt", "asked")
    op.drop_column("payments_receipt", "failure")
    op.drop_column("payments_receipt", "reference")
    op.drop_column("payments_receipt", "wanted_at")
    op.drop_column("payments_receipt", "region_code")
    op.drop_column("payments_receipt", "unit_name")
    op.drop_column("payments_receipt", "unit_code")
    op.drop_column("payments_receipt", "payer")
    op.drop_column("payments_receipt", "proof")
    op.drop_column("payments_receipt", "number")
    op.drop_column("payments_receipt", "matter")
    op.drop_column("payments_receipt", "state")
    op.drop_column("payments_receipt", "edition")
    op.drop_column("payments_receipt", "owner_id")
    op.drop_index(
        "ix_payments_payment_reference",
        table_name="payments_payment",
        postgresql_where=sa.text("reference IS NOT NULL"),
    )
    op.drop_index("ix_payments_payment_paid_at", table_name="payments_payment", postgresql_using="brin")
    op.drop_index(
        "ix_payments_payment_disputed",
        table_name="payments_payment",
        postgresql_where=sa.text("state = 'disputed'"),
    )
    op.alter_column(
        "payments_payment",
        "ticket",
        existing_type=sa.Text(),
        type_=sa.VARCHAR(length=128),
        existing_nullable=True,
    )
    op.drop_column("payments_payment", "asked_by_payer")
    op.drop_column("payments_payment", "purse")
    op.drop_column("payments_payment", "settled_at")
    op.drop_column("payments_payment", "received_fen")
    op.drop_column("payments_payment", "product")
    op.drop_column("payments_payment", "region_code")
    op.drop_column("payments_payment", "owed_by")
    op.drop_index("ix_payments_ledger_entry_account", table_name="payments_ledger_entry")
    op.create_index(
        op.f("ix_payments_ledger_entry_account"), "payments_ledger_entry", ["account"], unique=False
    )
    op.alter_column(
        "payments_ledger_entry", "payment_id", existing_type=sa.VARCHAR(length=40), nullable=False
    )
    op.drop_column("payments_ledger_entry", "tx")
    op.drop_index("ix_payments_bill_payer_blind", table_name="payments_bill")
    op.drop_index(
        "ix_payments_bill_due_on",
        table_name="payments_bill",
        postgresql_where=sa.text("state = 'due' AND payer_blind IS NOT NULL"),
    )
    op.drop_column("payments_bill", "payer_blind")
    op.drop_column("payments_bill", "payer")
    op.drop_column("payments_bill", "paid_penalty_fen")
    op.drop_column("payments_bill", "paid_overdue_fen")
    op.drop_column("payments_bill", "overdue_ppm")
    op.drop_column("payments_bill", "unit_code")
    op.drop_index("uq_payments_settlement_day", table_name="payments_settlement")
    op.drop_index("ix_payments_settlement_credit_id", table_name="payments_settlement")
    op.drop_table("payments_settlement")
    op.drop_index("ix_payments_set_aside_payment_id", table_name="payments_set_aside")
    op.drop_index(
        "ix_payments_set_aside_open",
        table_name="payments_set_aside",
        postgresql_where=sa.text("seen_at IS NULL"),
    )
    op.drop_table("payments_set_aside")
    op.drop_index("uq_payments_difference_line", table_name="payments_difference")
    op.drop_index(
        "ix_payments_difference_payout",
        table_name="payments_difference",
        postgresql_where=sa.text("payout_fen IS NOT NULL AND credit_id IS NULL"),
    )
    op.drop_index(
        "ix_payments_difference_number",
        table_name="payments_difference",
        postgresql_where=sa.text("state <> 'solved'"),
    )
    op.drop_index(
        "ix_payments_difference_look_next_at",
        table_name="payments_difference",
        postgresql_where=sa.text("state <> 'solved'"),
    )
    op.drop_index(
        "ix_payments_difference_credit_id",
        table_name="payments_difference",
        postgresql_where=sa.text("credit_id IS NOT NULL"),
    )
    op.drop_index(
        "ix_payments_difference_ask_next_at",
        table_name="payments_difference",
        postgresql_where=sa.text("state = 'open'"),
    )
    op.drop_table("payments_difference")
    op.drop_table("payments_bill_reminder")
    op.drop_table("payments_bill_item")
    op.drop_index("ix_payments_statement_line_number", table_name="payments_statement_line")
    op.drop_table("payments_statement_line")
    op.drop_index("uq_payments_statement_day", table_name="payments_statement")
    op.drop_index(
        "ix_payments_statement_ask_next_at",
        table_name="payments_statement",
        postgresql_where=sa.text("state = 'wanted'"),
    )
    op.drop_table("payments_statement")
    op.drop_table("payments_payee")
    op.drop_index("ix_payments_pay_link_owner_id", table_name="payments_pay_link")
    op.drop_table("payments_pay_link")
    op.drop_table("payments_ledger_seal")
    op.drop_index(
        "uq_payments_bank_credit_reference",
        table_name="payments_bank_credit",
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.drop_table("payments_bank_credit")
