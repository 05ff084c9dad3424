-- A bundle of grants that is given to users, groups and master API keys.
CREATE TABLE roles (
    id {{id}},
    organisation_id BIGINT NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    description TEXT,
    -- A JSON list of tag ids: to them is limited what can be limited and has no tags of its own. Ids of tags that are
    -- gone stay: a limit must not fall away with what it named.
    tags TEXT NOT NULL
);
CREATE INDEX roles_organisation ON roles (organisation_id);

-- Who has a role (exactly one of the three).
CREATE TABLE role_holders (
    id {{id}},
    role_id BIGINT NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
    user_id BIGINT REFERENCES users (id) ON DELETE CASCADE,
    group_id BIGINT REFERENCES groups (id) ON DELETE CASCADE,
    master_api_key_id BIGINT REFERENCES master_api_keys (id) ON DELETE CASCADE,
    UNIQUE (role_id, user_id),
    UNIQUE (role_id, group_id),
    UNIQUE (role_id, master_api_key_id)
);
CREATE INDEX role_holders_user ON role_holders (user_id);
CREATE INDEX role_holders_group ON role_holders (group_id);
CREATE INDEX role_holders_key ON role_holders (master_api_key_id);

-- A grant is to a user, a group or a role. A role's permissions are a JSON list of [key, [tag ids]].
ALTER TABLE grants ADD COLUMN role_id BIGINT REFERENCES roles (id) ON DELETE CASCADE;
CREATE UNIQUE INDEX grants_role_organisation ON grants (role_id, organisation_id);
CREATE UNIQUE INDEX grants_role_project ON grants (role_id, project_id);
CREATE UNIQUE INDEX grants_role_environment ON grants (role_id, environment_id);
