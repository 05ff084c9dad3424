-- What a project wants done about personal data that would be stored: off, warn, hash, refuse.
ALTER TABLE projects ADD COLUMN pii_mode TEXT NOT NULL DEFAULT 'off';
-- JSON lists: keys of traits that are not looked at, and patterns of values that are fine.
ALTER TABLE projects ADD COLUMN pii_allowed_traits TEXT NOT NULL DEFAULT '[]';
ALTER TABLE projects ADD COLUMN pii_allowed_values TEXT NOT NULL DEFAULT '[]';
-- What hashes are made with, beside the secret of the installation; null: the project's uuid.
ALTER TABLE projects ADD COLUMN pii_salt TEXT;

-- How often personal data was found, and where; never what.
CREATE TABLE pii_findings (
    project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    -- What it came in by, in which field of that, and the key of the trait or the context kind, if any.
    entrance TEXT NOT NULL,
    field TEXT NOT NULL,
    name TEXT NOT NULL,
    -- email, phone, card, iban, ip
    kind TEXT NOT NULL,
    -- What was done: warn, hash, refuse.
    mode TEXT NOT NULL,
    count BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, entrance, field, name, kind, mode)
);
