-- Reason: a request has variants with consecutive seeds; NULL in the first one.
ALTER TABLE requests ADD COLUMN first_seed INTEGER;
