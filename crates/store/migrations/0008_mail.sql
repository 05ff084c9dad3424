-- Mail that waits for its delivery. A row goes when its mail was taken, or was given up.
CREATE TABLE mails (
    id {{id}},
    uuid TEXT NOT NULL,
    kind TEXT NOT NULL,
    recipient TEXT NOT NULL,
    -- Sealed JSON: links in mails open accounts.
    content TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL
);
CREATE INDEX mails_due ON mails (due_at);

-- When users were sent a link to reset their password.
CREATE TABLE password_resets (
    id {{id}},
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    asked_at BIGINT NOT NULL
);
CREATE INDEX password_resets_user ON password_resets (user_id, asked_at);
