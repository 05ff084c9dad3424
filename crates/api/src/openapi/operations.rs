//! What is true of operations by their path, their tag and their kind of answer.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::answers::success;

/// The tags, in the order of the page, with what they are about.
const TAGS: &[(&str, &str)] = &[
    (
        "sdk",
        "What SDKs ask: flags, identities, the environment document, realtime, analytics",
    ),
    ("ofrep", "OpenFeature's remote evaluation protocol"),
    ("organisations", "Organisations and what they have used"),
    (
        "roles",
        "Sets of permissions, given to users, groups and master API keys",
    ),
    ("members", "Who is in an organisation"),
    ("invites", "Invitations to an organisation, by mail and by link"),
    ("groups", "Groups of an organisation's users"),
    (
        "permissions",
        "Who may do what, and the rights of users and groups",
    ),
    ("master API keys", "Keys of an organisation to this API"),
    ("projects", "Projects of an organisation"),
    ("environments", "Environments of a project, and the keys to them"),
    (
        "features",
        "Features, their multivariate options, owners and numbers",
    ),
    ("feature health", "What monitoring says of features"),
    (
        "feature exports",
        "Features as files, to take them to another project",
    ),
    ("code references", "Where code asks for features"),
    ("external resources", "Issues and pull requests about features"),
    ("metadata", "Custom fields of features, segments and environments"),
    ("feature states", "What a feature is in an environment"),
    (
        "flags",
        "A feature in an environment as a whole, by id or by name",
    ),
    ("segments", "Audiences: rules over traits"),
    (
        "list segments",
        "Audiences by name: lists of members, of any size",
    ),
    ("segment overrides", "What a feature is for a segment"),
    ("identities", "Identities and their traits"),
    ("identity overrides", "What a feature is for an identity"),
    (
        "explanations",
        "Why an identity gets its flags, and whom a change would touch",
    ),
    (
        "change requests",
        "Changes that others look at, approve and publish",
    ),
    ("tags", "Labels of features"),
    ("versions", "Versions of a feature in an environment"),
    ("scheduled changes", "Changes that happen at their time"),
    ("release pipelines", "Stages that features go through"),
    ("experiments", "Experiments with the variants of a feature"),
    ("audit", "Who changed what, and when"),
    ("imports", "Taking over what is in another system"),
    ("webhooks", "Calls to elsewhere when something changes"),
    ("integrations", "Other systems that are told of changes"),
    (
        "oauth",
        "Signing in at a provider, and programs that act for a user",
    ),
    ("saml", "Signing in at an organisation's identity provider"),
    (
        "trust relationships",
        "Machines that sign in with the tokens of their platform",
    ),
    ("scim", "Identity providers that keep users and groups"),
    ("cohorts", "Groups of identities from elsewhere"),
    ("warehouses", "Connections to data warehouses"),
    ("webhooks", "Who is told of changes, and what was sent to him"),
    (
        "integrations",
        "Other services that are told of changes and of identities",
    ),
    ("telemetry", "What installations tell of themselves"),
    ("audience sync", "Audiences that are kept in step with a source"),
    (
        "LaunchDarkly segments",
        "List segments as LaunchDarkly's API has them, for programs that fill segments there",
    ),
    ("export and import", "Projects and organisations as one file"),
    ("platform hub", "Sums over organisations"),
    ("users", "Accounts, signing in, second factors"),
    ("set-up", "The first steps of an installation"),
];

/// What needs no sign-in, because it is part of signing in, or because the path itself is the secret.
const PUBLIC: &[&str] = &[
    "/.well-known/oauth-authorization-server",
    "/api/v1/auth/oidc/callback/",
    "/api/v1/auth/oidc/login/",
    "/api/v1/auth/oidc/start/",
    "/api/v1/auth/providers/",
    "/api/v1/auth/saml/login/",
    "/api/v1/auth/saml/{name}/metadata/",
    "/api/v1/auth/saml/{name}/request/",
    "/api/v1/auth/saml/{name}/response/",
    "/api/v1/auth/users/activation/",
    "/api/v1/auth/users/resend_activation/",
    "/api/v1/auth/users/reset_email/",
    "/api/v1/auth/users/reset_email_confirm/",
    "/api/v1/cb-webhook/",
    "/o/introspect/",
    "/o/register/",
    "/o/revoke_token/",
    "/o/token/",
    "/api/v1/auth/login/",
    "/api/v1/auth/login/code/",
    "/api/v1/auth/oauth/github/",
    "/api/v1/auth/oauth/google/",
    "/api/v1/auth/oidc/token/",
    "/api/v1/auth/users/reset_password/",
    "/api/v1/auth/users/reset_password_confirm/",
    "/api/v1/feature-health/{path}/",
    "/api/v1/github-webhook/",
    "/api/v1/gitlab-webhook/{webhook_uuid}/",
    "/api/v1/features/download-flagsmith-on-flagsmith/",
];

/// Adds to an operation what it needs not say itself.
pub(super) fn complete(path: &str, _method: &str, operation: &mut Map<String, Value>) {
    let tag = operation["tags"][0].as_str().unwrap_or_default();
    let security = match tag {
        _ if path.starts_with("/api/v1/scim/") => json!([{ "scim_token": [] }]),
        _ if path.starts_with("/api/v1/cohort-sync/") => json!([{ "cohort_key": [] }]),
        _ if path.starts_with("/api/v2/segments/") => json!([{ "access_token": [] }]),
        _ if PUBLIC.contains(&path) => json!([{}]),
        "sdk" => json!([{ "environment_key": [] }]),
        "ofrep" => json!([{ "environment_key": [] }, { "environment_key_as_bearer": [] }]),
        _ => json!([{ "token": [] }, { "organisation_key": [] }]),
    };
    operation.entry("security").or_insert(security);
    let mut parameters: Vec<Value> = path_parameters(path).map(path_parameter).collect();
    if is_paged(operation) {
        parameters.extend(page_parameters());
    }
    let declared = operation.remove("parameters");
    merge(&mut parameters, declared);
    if !parameters.is_empty() {
        operation.insert("parameters".to_owned(), Value::from(parameters));
    }
    // In the order in which one reads.
    for part in ["security", "parameters", "requestBody", "responses"] {
        if let Some(value) = operation.shift_remove(part) {
            operation.insert(part.to_owned(), value);
        }
    }
}

/// The names in the braces of a path.
pub(super) fn path_parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

/// A parameter of a path. Its name says what it is: ids are numbers, uuids are uuids, the rest is text.
fn path_parameter(name: &str) -> Value {
    let is = |word: &str| name == word || name.ends_with(&format!("_{word}"));
    let schema = if is("id") {
        json!({ "type": "integer", "format": "int64", "minimum": 1 })
    } else if is("uuid") {
        json!({ "type": "string", "format": "uuid" })
    } else {
        json!({ "type": "string", "minLength": 1 })
    };
    json!({ "name": name, "in": "path", "required": true, "schema": schema })
}

fn is_paged(operation: &Map<String, Value>) -> bool {
    let schema =
        success(operation).and_then(|(_, answer)| answer.pointer("/content/application~1json/schema/$ref"));
    schema
        .and_then(Value::as_str)
        .is_some_and(|name| name.starts_with("#/components/schemas/Page_"))
}

fn page_parameters() -> [Value; 2] {
    let number = |name: &str, description: &str, maximum: Option<i64>| {
        let mut schema = json!({ "type": "integer", "minimum": 1 });
        if let Some(maximum) = maximum {
            schema["maximum"] = json!(maximum);
        }
        json!({ "name": name, "in": "query", "required": false, "description": description, "schema": schema })
    };
    let most = burgee_model::limits::PAGE_SIZE;
    [
        number("page", "Which page, from 1", None),
        number("page_size", "Rows of a page", Some(most)),
    ]
}

/// Lays what a handler declared over what is known without it.
fn merge(parameters: &mut Vec<Value>, declared: Option<Value>) {
    let Some(Value::Array(declared)) = declared else {
        return;
    };
    for parameter in declared {
        let same = |other: &Value| other["name"] == parameter["name"] && other["in"] == parameter["in"];
        match parameters.iter().position(same) {
            Some(place) => parameters[place] = parameter,
            None => parameters.push(parameter),
        }
    }
}

/// Describes tags and ways to sign in.
pub(super) fn describe(document: &mut Value) {
    let mut used = BTreeSet::new();
    super::for_each_operation(document, |_, _, operation| {
        used.extend(operation["tags"][0].as_str().map(str::to_owned));
    });
    let tags = TAGS
        .iter()
        .filter(|(name, _)| used.contains(*name))
        .map(|(name, description)| json!({ "name": name, "description": description }));
    document["tags"] = tags.collect();
    let authorization = |description: &str| json!({ "type": "apiKey", "in": "header", "name": "Authorization", "description": description });
    document["components"]["securitySchemes"] = json!({
        "token": authorization("`Token` and a user's token, with a space between"),
        "organisation_key": authorization("`Api-Key` and a master API key, with a space between"),
        "environment_key": {
            "type": "apiKey", "in": "header", "name": "X-Environment-Key",
            "description": "The client-side key of an environment, or one of its server-side keys",
        },
        "scim_token": {
            "type": "http", "scheme": "bearer",
            "description": "The token that an organisation gives its identity provider",
        },
        "cohort_key": {
            "type": "http", "scheme": "bearer",
            "description": "A server-side key of the cohort's environment, or a master API key",
        },
        "access_token": authorization("A master API key or a user's token, with nothing before it"),
        "environment_key_as_bearer": {
            "type": "http", "scheme": "bearer",
            "description": "The same keys, as OpenFeature's providers send them",
        },
    });
}
