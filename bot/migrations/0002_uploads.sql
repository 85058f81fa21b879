-- Reason: people send files of their own to be re-rhythmed.
CREATE TABLE uploads (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    -- the file is kept once, below uploads/, under its SHA-256; each who sent or reused it has a row
    sha256        TEXT NOT NULL CHECK (length(sha256) = 64),
    user_id       INTEGER NOT NULL,
    -- as this person calls it, in one line
    name          TEXT NOT NULL,
    size_bytes    INTEGER NOT NULL,
    first_seen_at REAL NOT NULL,
    -- when it was last sent or asked for: what is longest unused goes first
    used_at       REAL NOT NULL,
    UNIQUE (sha256, user_id)
) STRICT;

CREATE INDEX uploads_by_user ON uploads (user_id, id);

-- what the asker calls the files of the request: a JSON object from SHA-256 to name
ALTER TABLE requests ADD COLUMN names TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(names));
