-- Where features are talked about: what is needed to tell issue trackers of them, and to hear from them.

-- The installation of the application for GitHub in an organisation's account there.
CREATE TABLE github_configurations (
    id {{id}},
    organisation_id BIGINT NOT NULL UNIQUE REFERENCES organisations (id) ON DELETE CASCADE,
    -- As GitHub numbers it. Of one organisation only: who has an installation reads what it can reach.
    installation_id TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

-- The repositories whose issues and pull requests are about the features of a project.
CREATE TABLE github_repositories (
    id {{id}},
    configuration_id BIGINT NOT NULL REFERENCES github_configurations (id) ON DELETE CASCADE,
    project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    -- Whether features are tagged with how their issues stand, and issues are labelled.
    tagging_enabled BOOLEAN NOT NULL,
    UNIQUE (project_id, owner, name)
);
CREATE INDEX github_repositories_configuration ON github_repositories (configuration_id);

-- The webhooks that were made in projects of a GitLab.
CREATE TABLE gitlab_hooks (
    id {{id}},
    -- In the address that GitLab calls.
    uuid TEXT NOT NULL UNIQUE,
    integration_id BIGINT NOT NULL REFERENCES integrations (id) ON DELETE CASCADE,
    -- `group/project`, as in addresses.
    path TEXT NOT NULL,
    -- As GitLab numbers it; null until GitLab has made it.
    number BIGINT,
    -- Sealed: what GitLab sends along.
    secret TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (integration_id, path)
);
