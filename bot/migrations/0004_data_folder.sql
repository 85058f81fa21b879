-- Reason: a ledger belongs to one data folder, and is never replaced or swept beside unnoticed.
CREATE TABLE data_folder (
    identity   TEXT NOT NULL,              -- random; the same as in the file "identity"
    signatures INTEGER NOT NULL DEFAULT 0  -- starts and ends of the bot; the file has them too
) STRICT;

INSERT INTO data_folder (identity) VALUES (lower(hex(randomblob(16))));
