-- What audience syncs are made of on a server: sources, models, destinations and syncs of an organisation.
CREATE TABLE audience_sync_objects (
    id {{id}},
    organisation_id BIGINT NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    -- source, model, destination, sync
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    -- JSON as a file would have it, with its secrets sealed.
    content TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    -- When the schedule of a sync has it run next.
    due_at BIGINT,
    -- When it was last told that it has not succeeded for too long.
    stale_told_at BIGINT,
    UNIQUE (organisation_id, kind, name)
);
CREATE INDEX audience_sync_objects_due ON audience_sync_objects (due_at) WHERE due_at IS NOT NULL;

-- What is remembered of a sync of the server goes with it. Syncs of files have no object.
ALTER TABLE audience_syncs ADD COLUMN object_id BIGINT REFERENCES audience_sync_objects (id) ON DELETE CASCADE;
ALTER TABLE audience_sync_runs ADD COLUMN object_id BIGINT REFERENCES audience_sync_objects (id) ON DELETE CASCADE;
-- Who asked for it; NULL for a schedule and for the command line.
ALTER TABLE audience_sync_runs ADD COLUMN started_by BIGINT;
-- JSON: some keys of each kind of operation.
ALTER TABLE audience_sync_runs ADD COLUMN samples TEXT NOT NULL DEFAULT '{}';
CREATE INDEX audience_syncs_object ON audience_syncs (object_id);
CREATE INDEX audience_sync_runs_object ON audience_sync_runs (object_id, id);
