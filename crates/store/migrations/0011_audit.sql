-- The audit log is read newest first, by project or by organisation, and counted: both from these alone.
CREATE INDEX changes_audit_project ON changes (project_id, id) WHERE message IS NOT NULL;
CREATE INDEX changes_audit_organisation ON changes (organisation_id, id) WHERE message IS NOT NULL;
