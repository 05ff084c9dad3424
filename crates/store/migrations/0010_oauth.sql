-- Programs that act for users: clients of this installation's OAuth2 server.
CREATE TABLE oauth_clients (
    id TEXT PRIMARY KEY,
    -- The hash of its secret; none for a public client.
    secret TEXT,
    name TEXT NOT NULL,
    -- A JSON list.
    redirect_uris TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- Codes that a user's consent gives, once each.
CREATE TABLE oauth_codes (
    hash TEXT PRIMARY KEY,
    client_id TEXT NOT NULL REFERENCES oauth_clients (id) ON DELETE CASCADE,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    redirect_uri TEXT NOT NULL,
    challenge TEXT NOT NULL,
    scope TEXT NOT NULL,
    -- The consent that its tokens belong to.
    consent TEXT NOT NULL,
    used BOOLEAN NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE oauth_tokens (
    hash TEXT PRIMARY KEY,
    -- access or refresh.
    kind TEXT NOT NULL,
    client_id TEXT NOT NULL REFERENCES oauth_clients (id) ON DELETE CASCADE,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    scope TEXT NOT NULL,
    consent TEXT NOT NULL,
    -- A refresh token that was exchanged; seen again, it was stolen.
    used BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX oauth_tokens_consent ON oauth_tokens (consent);
CREATE INDEX oauth_tokens_user ON oauth_tokens (user_id);
