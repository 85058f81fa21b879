-- Reason: a request has variants, numbered from the seed of the first one; NULL when it is the first.
ALTER TABLE requests ADD COLUMN first_seed INTEGER;
