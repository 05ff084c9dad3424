-- Custom fields: what can be said about features, segments and environments beyond what they have of their own.

CREATE TABLE metadata_fields (
    id {{id}},
    uuid TEXT NOT NULL UNIQUE,
    organisation_id BIGINT NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    -- Set for a field of one project only.
    project_id BIGINT REFERENCES projects (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    description TEXT
);
CREATE INDEX metadata_fields_organisation ON metadata_fields (organisation_id);
CREATE INDEX metadata_fields_project ON metadata_fields (project_id);

-- Which kinds of object have the field.
CREATE TABLE metadata_model_fields (
    id {{id}},
    uuid TEXT NOT NULL UNIQUE,
    field_id BIGINT NOT NULL REFERENCES metadata_fields (id) ON DELETE CASCADE,
    content_type BIGINT NOT NULL,
    UNIQUE (field_id, content_type)
);

-- Where such an object must have it: in a project, or everywhere in the organisation (exactly one of the two).
CREATE TABLE metadata_requirements (
    id {{id}},
    model_field_id BIGINT NOT NULL REFERENCES metadata_model_fields (id) ON DELETE CASCADE,
    organisation_id BIGINT REFERENCES organisations (id) ON DELETE CASCADE,
    project_id BIGINT REFERENCES projects (id) ON DELETE CASCADE,
    UNIQUE (model_field_id, organisation_id),
    UNIQUE (model_field_id, project_id)
);

-- What an object says (of exactly one of the three).
CREATE TABLE metadata_values (
    id {{id}},
    model_field_id BIGINT NOT NULL REFERENCES metadata_model_fields (id) ON DELETE CASCADE,
    environment_id BIGINT REFERENCES environments (id) ON DELETE CASCADE,
    feature_id BIGINT REFERENCES features (id) ON DELETE CASCADE,
    segment_id BIGINT REFERENCES segments (id) ON DELETE CASCADE,
    field_value TEXT NOT NULL,
    UNIQUE (model_field_id, environment_id),
    UNIQUE (model_field_id, feature_id),
    UNIQUE (model_field_id, segment_id)
);
CREATE INDEX metadata_values_environment ON metadata_values (environment_id);
CREATE INDEX metadata_values_feature ON metadata_values (feature_id);
CREATE INDEX metadata_values_segment ON metadata_values (segment_id);
