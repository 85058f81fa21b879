-- Reason: a user who deletes their data takes the names and titles of their files out of the
-- requests of others, of those files too that were deleted before for their age or for the quota.
CREATE TABLE pruned_uploads (
    user_id   INTEGER NOT NULL,
    sha256    TEXT NOT NULL,
    pruned_at REAL NOT NULL,
    PRIMARY KEY (user_id, sha256)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER keep_pruned_uploads AFTER DELETE ON uploads BEGIN
    INSERT OR REPLACE INTO pruned_uploads (user_id, sha256, pruned_at)
    VALUES (old.user_id, old.sha256, CAST(strftime('%s', 'now') AS REAL));
END;
