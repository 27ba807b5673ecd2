-- Frozen limit of payment_callbacks: the state change, one journal row, two ledger entries. Do not edit; a new limit is a new file.
\set payment random(1, 400000)
BEGIN;
UPDATE limit_payment SET state = 'paid', reference = 'tx-' || :payment::int, paid_at = CURRENT_TIMESTAMP WHERE id = :payment;
INSERT INTO limit_payment_journal (payment_id, trigger, says, occurred_at) VALUES (:payment, 'succeeded', '支付成功', CURRENT_TIMESTAMP);
INSERT INTO limit_entry (payment_id, account, amount_fen, entered_at)
VALUES (:payment, 'clearing wechat_pay', 8000, CURRENT_TIMESTAMP), (:payment, 'payee BZ', -8000, CURRENT_TIMESTAMP);
COMMIT;
