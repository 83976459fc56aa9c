-- The rows one move writes, as pgbench writes them: without rules, clock and hash.
\set id random(:first, :last)
BEGIN;
SELECT d.*, v.* FROM dossier d
  LEFT JOIN visit v ON v.dossier_id = d.id AND v.visit = d.visit AND v.closed_at IS NULL
  WHERE d.code = (SELECT code FROM dossier WHERE id = :id);
UPDATE dossier SET seq = seq + 1, state = 'processing', head = sha256(head), agency = agency,
  unit = unit, field = field, procedure = procedure, version = version, term = term,
  calendar = calendar, calendar_version = calendar_version, policy = policy, regime = regime,
  stages = stages, takes_in = takes_in, supplement_restarts = supplement_restarts, stage = stage,
  stage_role = stage_role, visit = visit + 1, missing = missing,
  supplements_left = supplements_left, extensions_left = extensions_left, fee_asked = fee_asked,
  fee_paid = fee_paid, facts = facts, moved_at = now(), received_at = received_at,
  due_original = due_original, due_at = due_at, late_at = late_at,
  deadline = deadline, lapse_at = lapse_at, finished_at = finished_at, used = used,
  verdict = verdict, outcome = outcome, delivered_at = delivered_at
  WHERE id = :id RETURNING seq, visit AS vis \gset
INSERT INTO entry (dossier_id, seq, event, source, dest, role, actor, at, recorded_at, payload,
    reason, prev, hash)
  VALUES (:id, :seq, 'advance', 'processing', 'processing', 'officer', 'an officer', now(),
    clock_timestamp(), '{"act": {}, "clock": {}}', 'again', sha256('before'), sha256('after'));
UPDATE visit SET person = 'an officer', due_at = now(), closed_at = now(), closed_seq = :seq,
  used = 10, verdict = 'early'
  WHERE dossier_id = :id AND visit = :vis - 1;
INSERT INTO visit (dossier_id, visit, stage, code, unit, role, term, opened_at, opened_seq, due_at)
  VALUES (:id, :vis, 1, 'xem-xet', 'H42.05.01', 'leader', '1wd', now(), :seq, now());
COMMIT;
