-- Reason: every request with its options, times, tries and outcome, so that none is lost.
CREATE TABLE requests (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    state             TEXT NOT NULL DEFAULT 'waiting'
                      CHECK (state IN ('waiting', 'running', 'done', 'failed')),
    -- who and where; message_id is the public message, interaction_token may edit it for 15 minutes
    user_id           INTEGER NOT NULL,
    guild_id          INTEGER,
    channel_id        INTEGER NOT NULL,
    message_id        INTEGER NOT NULL,
    interaction_token TEXT NOT NULL,
    file_limit_bytes  INTEGER NOT NULL,
    locale            TEXT NOT NULL,
    -- what: the JSON of mst_core.jobs.encode_request
    request           TEXT NOT NULL CHECK (json_valid(request)),
    seed              INTEGER NOT NULL,
    -- the lease
    worker            TEXT,
    lease_until       REAL,
    tries             INTEGER NOT NULL DEFAULT 0,
    -- times, seconds since 1970
    asked_at          REAL NOT NULL,
    started_at        REAL,
    finished_at       REAL,
    answered_at       REAL,
    -- the outcome
    error_code        TEXT,
    error_arguments   TEXT CHECK (error_arguments IS NULL OR json_valid(error_arguments)),
    receipt           TEXT CHECK (receipt IS NULL OR json_valid(receipt)),
    stage_seconds     TEXT CHECK (stage_seconds IS NULL OR json_valid(stage_seconds)),
    deliveries        INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX requests_by_user ON requests (user_id, id);
CREATE INDEX requests_open ON requests (state, id) WHERE answered_at IS NULL;
