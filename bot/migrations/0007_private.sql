-- Reason: what only its user sees waits in the queue too: a picture of the score before and after.
ALTER TABLE requests ADD COLUMN private INTEGER NOT NULL DEFAULT 0 CHECK (private IN (0, 1));
