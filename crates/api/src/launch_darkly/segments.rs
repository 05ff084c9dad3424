//! `/api/v2/segments/{project_key}/{environment_key}/`

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use burgee_app::App;
use burgee_app::launch_darkly_segments::{self as acts, ListSegmentHere, NewListSegment, Shown};
use burgee_model::limits;
use burgee_model::lists::Side;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::patch::{self, Form};
use super::{AnyJson, Holder, Refusal, link};
use crate::params::{Path, Query};

/// The routes of this noun.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_access_segments, create_access_segment))
        .routes(routes!(get_access_segment, patch_access_segment))
}

/// Keys of one context kind.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessTarget {
    values: Vec<String>,
    context_kind: String,
}

/// How many a big segment has.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessCounts {
    version: i64,
    included_count: i64,
    excluded_count: i64,
    last_modified: i64,
    deleted: bool,
}

/// A segment.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessSegment {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    description: Option<String>,
    tags: Vec<String>,
    /// Milliseconds since 1970.
    creation_date: i64,
    last_modified_date: i64,
    key: String,
    /// Keys of kind `user`; not of big segments.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    included: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    excluded: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    included_contexts: Option<Vec<AccessTarget>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    excluded_contexts: Option<Vec<AccessTarget>>,
    #[serde(rename = "_links")]
    #[schema(value_type = Object)]
    links: Value,
    /// Rules are those of the segment, and not shown here.
    #[schema(value_type = Vec<Object>)]
    rules: [(); 0],
    version: i64,
    deleted: bool,
    unbounded: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    unbounded_context_kind: Option<String>,
    generation: i64,
    #[serde(rename = "_unboundedMetadata", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    unbounded_metadata: Option<AccessCounts>,
}

/// A page of segments.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessSegments {
    items: Vec<AccessSegment>,
    #[serde(rename = "_links")]
    #[schema(value_type = Object)]
    links: Value,
    total_count: usize,
}

/// The address of an environment's segments.
fn home((project, environment): (&str, &str)) -> String {
    format!("/api/v2/segments/{project}/{environment}")
}

pub(super) fn view(at: (&str, &str), shown: Shown) -> AccessSegment {
    let Shown { here, targets } = shown;
    let millis = |micros: i64| micros / 1_000;
    let last_modified = millis(here.updated_at());
    let counts = targets.is_none().then(|| AccessCounts {
        version: here.version(),
        included_count: here.count(Side::Included),
        excluded_count: here.count(Side::Excluded),
        last_modified,
        deleted: false,
    });
    let version = here.version();
    let segment = here.segment;
    let (included, excluded) = match targets {
        Some(targets) => (Some(split(targets.included)), Some(split(targets.excluded))),
        None => (None, None),
    };
    let (included, included_contexts) = included.unzip();
    let (excluded, excluded_contexts) = excluded.unzip();
    AccessSegment {
        links: json!({
            "self": link(&format!("{}/{}", home(at), segment.key)),
            "parent": link(&home(at)),
        }),
        name: segment.name,
        description: segment.description.filter(|text| !text.is_empty()),
        tags: serde_json::from_str(&segment.tags).unwrap_or_default(),
        creation_date: millis(segment.created_at),
        last_modified_date: last_modified,
        key: segment.key,
        included,
        excluded,
        included_contexts,
        excluded_contexts,
        rules: [],
        version,
        deleted: false,
        unbounded: counts.is_some(),
        unbounded_context_kind: counts.is_some().then_some(segment.context_kind),
        generation: i64::from(counts.is_some()),
        unbounded_metadata: counts,
    }
}

/// The keys of kind `user`, and those of other kinds.
fn split(mut targets: std::collections::BTreeMap<String, Vec<String>>) -> (Vec<String>, Vec<AccessTarget>) {
    let users = targets.remove("user").unwrap_or_default();
    let others = targets
        .into_iter()
        .map(|(context_kind, values)| AccessTarget { values, context_kind });
    (users, others.collect())
}

/// One segment of an environment, with its targets unless it is a big one.
#[utoipa::path(get, path = "/api/v2/segments/{project_key}/{environment_key}/{segment_key}/",
    tag = "LaunchDarkly segments", responses((status = 200, body = AccessSegment)))]
async fn get_access_segment(
    State(app): State<App>,
    holder: Holder,
    Path((project, environment, key)): Path<(String, String, String)>,
) -> Response {
    let at = (project.as_str(), environment.as_str());
    let got = async {
        let mut tx = app.db().read().await?;
        let shown = acts::get(&mut tx, &holder.caller, at, &key).await?;
        Ok(Json(view(at, shown)))
    };
    holder.answer(got.await)
}

/// The most segments of one page, and how many there are unless said.
const PAGE: (i64, i64) = (50, 20);

/// The segments of an environment.
#[utoipa::path(get, path = "/api/v2/segments/{project_key}/{environment_key}/", tag = "LaunchDarkly segments",
    params(
        ("limit" = Option<i64>, Query, description = "Segments of a page: 20 unless given"),
        ("offset" = Option<i64>, Query, description = "How many to pass over"),
        ("sort" = Option<String>, Query, description = "`creationDate`, `name` or `lastModified`, with `-` before it to turn the order"),
        ("filter" = Option<String>, Query, description = "`query:text`, `tags:a+b`, `unbounded:true`, `external:true`, separated by commas")),
    responses((status = 200, body = AccessSegments)))]
async fn list_access_segments(
    State(app): State<App>,
    holder: Holder,
    Path((project, environment)): Path<(String, String)>,
    query: Query,
) -> Response {
    let at = (project.as_str(), environment.as_str());
    let listed = async {
        let mut tx = app.db().read().await?;
        let mut found = acts::list(&mut tx, &holder.caller, at).await?;
        for filter in query
            .text("filter")
            .unwrap_or_default()
            .split(',')
            .filter(|filter| !filter.is_empty())
        {
            let (name, value) = filter
                .split_once(':')
                .ok_or_else(|| Refusal::invalid(format!("invalid filter: {filter}")))?;
            retain(&mut found, name, value)?;
        }
        sort(&mut found, query.text("sort").unwrap_or("-creationDate"))?;
        let total_count = found.len();
        let limit = query.number("limit").unwrap_or(PAGE.1).clamp(1, PAGE.0);
        let offset = query.number("offset").unwrap_or(0).max(0);
        let page: Vec<ListSegmentHere> = found
            .into_iter()
            .skip(usize::try_from(offset).unwrap_or(usize::MAX))
            .take(limit as usize)
            .collect();
        let here = |offset: i64| link(&format!("{}?limit={limit}&offset={offset}", home(at)));
        let mut links = json!({ "self": here(offset) });
        if offset + (page.len() as i64) < total_count as i64 {
            links["next"] = here(offset + limit);
        }
        if offset > 0 {
            links["prev"] = here((offset - limit).max(0));
        }
        let items = acts::show_all(&mut tx, page).await?;
        Ok(Json(AccessSegments {
            items: items.into_iter().map(|shown| view(at, shown)).collect(),
            links,
            total_count,
        }))
    };
    holder.answer(listed.await)
}

fn retain(found: &mut Vec<ListSegmentHere>, name: &str, value: &str) -> Result<(), Refusal> {
    let truth = value == "true";
    match name {
        "query" => {
            let part = value.to_lowercase();
            found.retain(|here| {
                let segment = &here.segment;
                let texts = [&segment.name, &segment.key];
                let described = segment.description.iter();
                texts
                    .into_iter()
                    .chain(described)
                    .any(|text| text.to_lowercase().contains(&part))
            });
        }
        "tags" => {
            let wanted: Vec<&str> = value.split('+').collect();
            found.retain(|here| {
                let tags: Vec<String> = serde_json::from_str(&here.segment.tags).unwrap_or_default();
                wanted.iter().all(|tag| tags.iter().any(|own| own == tag))
            });
        }
        "keys" => {
            let wanted: Vec<&str> = value.split('|').collect();
            found.retain(|here| wanted.contains(&here.segment.key.as_str()));
        }
        "unbounded" => found.retain(|here| here.segment.unbounded == truth),
        // None is kept by another vendor.
        "external" => found.retain(|_| !truth),
        _ => return Err(Refusal::invalid(format!("unknown filter: {name}"))),
    }
    Ok(())
}

fn sort(found: &mut [ListSegmentHere], by: &str) -> Result<(), Refusal> {
    let (field, turned) = by.strip_prefix('-').map_or((by, false), |field| (field, true));
    match field {
        "creationDate" => found.sort_by_key(|here| here.segment.created_at),
        "lastModified" => found.sort_by_key(ListSegmentHere::updated_at),
        "name" => found.sort_by(|a, b| a.segment.name.cmp(&b.segment.name)),
        _ => return Err(Refusal::invalid(format!("unknown sort: {by}"))),
    }
    if turned {
        found.reverse();
    }
    Ok(())
}

/// Creates a segment without targets. It is there in all environments of the project.
#[utoipa::path(post, path = "/api/v2/segments/{project_key}/{environment_key}/", tag = "LaunchDarkly segments",
    request_body = Object,
    responses((status = 201, body = AccessSegment), (status = 409, description = "The key is taken", body = super::AccessError)))]
async fn create_access_segment(
    State(app): State<App>,
    holder: Holder,
    Path((project, environment)): Path<(String, String)>,
    body: AnyJson,
) -> Response {
    let at = (project.as_str(), environment.as_str());
    let made = async {
        let new = new_segment(&body.get()?)?;
        let shown = acts::create(&app, &holder.caller, at, new).await?;
        Ok((StatusCode::CREATED, Json(view(at, shown))))
    };
    holder.answer(made.await)
}

fn new_segment(body: &Value) -> Result<NewListSegment, Refusal> {
    let text = |name: &str| patch::text(body.get(name), name);
    let name = text("name")?.filter(|name| !name.is_empty());
    let key = text("key")?.filter(|key| !key.is_empty());
    let (Some(name), Some(key)) = (name, key) else {
        return Err(Refusal::invalid("name and key are required"));
    };
    if name.chars().count() > limits::FEATURE_NAME_LENGTH {
        return Err(Refusal::invalid("name is too long"));
    }
    Ok(NewListSegment {
        name,
        key: Some(key),
        description: text("description")?,
        context_kind: text("unboundedContextKind")?,
        unbounded: body.get("unbounded").and_then(Value::as_bool).unwrap_or(false),
        tags: patch::texts(body.get("tags"), "tags")?.unwrap_or_default(),
    })
}

/// Changes a segment: a semantic patch (of content type `application/json; domain-model=launchdarkly.semanticpatch`), or a
/// JSON patch. All of it happens, or nothing; what is so already changes nothing.
#[utoipa::path(patch, path = "/api/v2/segments/{project_key}/{environment_key}/{segment_key}/",
    tag = "LaunchDarkly segments", request_body = Object,
    params(("dryRun" = Option<bool>, Query, description = "Nothing is kept; the answer is what it would have been")),
    responses((status = 200, body = AccessSegment)))]
async fn patch_access_segment(
    State(app): State<App>,
    holder: Holder,
    Path((project, environment, key)): Path<(String, String, String)>,
    query: Query,
    headers: HeaderMap,
    body: AnyJson,
) -> Response {
    let at = (project.as_str(), environment.as_str());
    let patched = async {
        let kind = headers
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        let form = Form::read(kind.unwrap_or_default(), body.get()?, &environment)?;
        let dry_run = query.truth("dryRun").unwrap_or(false);
        let shown = acts::patch(&app, &holder.caller, at, &key, |before| {
            form.against(before, dry_run)
        })
        .await?;
        Ok(Json(view(at, shown)))
    };
    holder.answer(patched.await)
}
