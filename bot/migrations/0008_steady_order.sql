-- Reason: the order of the queue must not change when somebody sets the system's clock. Both are
-- seconds of a clock that never jumps; NULL in rows of before, where the wall clock counts.
ALTER TABLE requests ADD COLUMN asked_steady REAL;
ALTER TABLE requests ADD COLUMN started_steady REAL;
DROP INDEX requests_by_start;
CREATE INDEX requests_by_start ON requests (user_id, started_steady);
