-- Where and with what a session was opened, for the list of them.
ALTER TABLE user_tokens ADD COLUMN user_agent TEXT;
-- A keyed hash of the client's address: it tells whether an address was seen before, not which it is.
ALTER TABLE user_tokens ADD COLUMN address TEXT;
ALTER TABLE user_tokens ADD COLUMN last_used_at BIGINT;
-- When an unused session ends; none for tokens.
ALTER TABLE user_tokens ADD COLUMN expires_at BIGINT;

-- Accounts that users have elsewhere and sign in with: github, google, oidc, saml:<id>.
CREATE TABLE provider_accounts (
    provider TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (provider, subject)
);
CREATE INDEX provider_accounts_user ON provider_accounts (user_id);

-- Users who have not confirmed their address yet. Who is inactive and not here was switched off.
CREATE TABLE activations (
    user_id BIGINT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL
);

-- One-time codes that a browser brings back from a sign-in elsewhere.
CREATE TABLE login_codes (
    hash TEXT PRIMARY KEY,
    via TEXT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    is_new_user BOOLEAN NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE saml_configurations (
    id {{id}},
    organisation_id BIGINT NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    name TEXT NOT NULL UNIQUE,
    frontend_url TEXT NOT NULL,
    idp_metadata_xml TEXT,
    allow_idp_initiated BOOLEAN NOT NULL,
    -- Whether a superuser vouches for it: it may then sign in users of other organisations too.
    trusted BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX saml_configurations_organisation ON saml_configurations (organisation_id);

CREATE TABLE saml_attribute_mappings (
    id {{id}},
    saml_configuration_id BIGINT NOT NULL REFERENCES saml_configurations (id) ON DELETE CASCADE,
    django_attribute_name TEXT NOT NULL,
    idp_attribute_name TEXT NOT NULL,
    UNIQUE (saml_configuration_id, django_attribute_name)
);

-- Requests sent to identity providers and not answered yet.
CREATE TABLE saml_requests (
    id TEXT PRIMARY KEY,
    saml_configuration_id BIGINT NOT NULL REFERENCES saml_configurations (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL
);

-- Assertions that signed somebody in, kept until they would have expired anyway.
CREATE TABLE saml_assertions (
    saml_configuration_id BIGINT NOT NULL REFERENCES saml_configurations (id) ON DELETE CASCADE,
    assertion TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (saml_configuration_id, assertion)
);
