-- Reason: users upload files to be changed.
CREATE TABLE uploads (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    -- the file is stored once, below uploads/, under its SHA-256; each of its users has a row
    sha256        TEXT NOT NULL CHECK (length(sha256) = 64),
    user_id       INTEGER NOT NULL,
    -- this user's name of the file, in one line
    name          TEXT NOT NULL,
    size_bytes    INTEGER NOT NULL,
    first_seen_at REAL NOT NULL,
    -- when it was last uploaded or requested: the least recently used is deleted first
    used_at       REAL NOT NULL,
    UNIQUE (sha256, user_id)
) STRICT;

CREATE INDEX uploads_by_user ON uploads (user_id, id);

-- the user's names of the files of the request: a JSON object from SHA-256 to name
ALTER TABLE requests ADD COLUMN names TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(names));
