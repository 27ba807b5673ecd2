-- Frozen limit of case_submission: only the rows a user would miss. Do not edit; a new limit is a new file.
\set owner random(1, 1000)
\set number random(1, 900000000000)
BEGIN;
INSERT INTO limit_case (number, person_id, item_version_id, state, form, submitted_at)
VALUES ('BZ' || :number || '-' || :client_id, 'ps-' || :owner, 'iv-bench', 'submitted', decode(repeat('ab', 120), 'hex'), CURRENT_TIMESTAMP)
RETURNING id AS case_id \gset
INSERT INTO limit_material (case_id, code, name, mode) VALUES (:case_id, 'm1', '居民身份证', 'upload');
INSERT INTO limit_material (case_id, code, name, mode) VALUES (:case_id, 'm2', '原行驶证', 'mail');
INSERT INTO limit_journal (case_id, seq, trigger, says, occurred_at) VALUES (:case_id, 1, 'submitted', '提交了申请', CURRENT_TIMESTAMP);
COMMIT;
