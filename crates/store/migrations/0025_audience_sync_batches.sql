-- Batches are written down with their operations before they are sent, and stay until these are in the state: what a run
-- that died may have sent is where the next one begins.

ALTER TABLE audience_sync_batches ADD COLUMN content BYTEA;

-- A trait of an environment, or a segment, is written by one sync.
CREATE TABLE audience_sync_targets (
    target TEXT PRIMARY KEY,
    sync TEXT NOT NULL REFERENCES audience_syncs (name) ON DELETE CASCADE
);
CREATE INDEX audience_sync_targets_sync ON audience_sync_targets (sync);
