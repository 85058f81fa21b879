-- Reason: a request is kept before Discord is told, and found again by its interaction; the ids of
-- requests in buttons come with a token that nobody can guess.
ALTER TABLE requests ADD COLUMN interaction_id INTEGER;
ALTER TABLE requests ADD COLUMN press_token TEXT NOT NULL DEFAULT '';

CREATE UNIQUE INDEX requests_by_interaction ON requests (interaction_id);
