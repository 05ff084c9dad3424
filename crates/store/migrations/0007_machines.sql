-- Whose tokens are taken in exchange for tokens of ours.
CREATE TABLE trust_relationships (
    id {{id}},
    organisation_id BIGINT NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    issuer TEXT NOT NULL,
    audience TEXT NOT NULL,
    -- A JSON list of {"claim", "values"}: all of them must hold.
    claim_rules TEXT NOT NULL,
    -- A key whose text nobody knows: it has the roles, and its tokens act with it.
    master_api_key_id BIGINT NOT NULL UNIQUE REFERENCES master_api_keys (id) ON DELETE CASCADE,
    created_by BIGINT REFERENCES users (id) ON DELETE SET NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX trust_relationships_organisation ON trust_relationships (organisation_id);
CREATE INDEX trust_relationships_issuer ON trust_relationships (issuer);

-- How an identity provider signs in to keep the members of an organisation.
CREATE TABLE scim_configurations (
    organisation_id BIGINT PRIMARY KEY REFERENCES organisations (id) ON DELETE CASCADE,
    token_hash TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    token_created_at BIGINT NOT NULL
);

-- What an identity provider told about a user, who need not be a member any more.
CREATE TABLE scim_users (
    organisation_id BIGINT NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    external_id TEXT,
    -- Whether the account was made by this provider, which may then also rename it.
    provisioned BOOLEAN NOT NULL,
    -- Whether the provider has deleted him. Who made the account is remembered: it is his again when he is brought back.
    deleted BOOLEAN NOT NULL,
    PRIMARY KEY (organisation_id, user_id)
);
CREATE INDEX scim_users_user ON scim_users (user_id);
