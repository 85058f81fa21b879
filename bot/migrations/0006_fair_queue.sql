-- Reason: only a request that was worked on has used a try; why each attempt ended is kept.
ALTER TABLE requests ADD COLUMN begun INTEGER NOT NULL DEFAULT 0 CHECK (begun IN (0, 1));
-- a JSON array of [seconds since 1970, why the attempt ended without an outcome]
ALTER TABLE requests ADD COLUMN attempts TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(attempts));
-- Reason: short jobs go first; seconds of work that are expected, from the size of the tunes.
ALTER TABLE requests ADD COLUMN expected_s REAL NOT NULL DEFAULT 0;
-- Reason: the lease must not look at finished requests, of which there are many.
CREATE INDEX requests_unfinished ON requests (user_id, id) WHERE state IN ('waiting', 'running');
CREATE INDEX requests_by_start ON requests (user_id, started_at);
