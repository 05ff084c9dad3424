//! `…/list-segments/{segment_key}/members/`: who is in a list segment

use axum::Json;
use axum::body::Body as FileBody;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use burgee_app::list_segments::members::{self, Choice, Counts, Download, ListEdit, Listed};
use burgee_app::list_segments::replace::{self, Mode, Uploaded};
use burgee_app::list_segments::upload::{self, Format, Ignored, Watch};
use burgee_app::pii::Entrance;
use burgee_app::{App, Error};
use burgee_model::limits;
use burgee_model::lists::Side;
use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::fields::Text;
use crate::params::{Path, Query};
use crate::upload::received;
use crate::{choices, input};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    let files = OpenApiRouter::new()
        .routes(routes!(upload_members))
        // Files are taken a piece at a time, whatever their size.
        .layer(DefaultBodyLimit::disable());
    OpenApiRouter::new()
        .routes(routes!(download_members, edit_members))
        .routes(routes!(look_up_member))
        .merge(files)
}

choices! {
    /// Whether members are in the segment or kept out of it.
    pub enum SideName {
        Included = "included",
        Excluded = "excluded",
    }
}

impl From<SideName> for Side {
    fn from(name: SideName) -> Self {
        match name {
            SideName::Included => Self::Included,
            SideName::Excluded => Self::Excluded,
        }
    }
}

input! {
    /// Who comes and who goes. Who is named twice ends up as the last mention says; additions come first.
    pub struct MembersBody {
        /// At most 10,000 with those to remove.
        pub add: Option<Vec<Text<{ limits::IDENTIFIER_LENGTH }>>>,
        pub remove: Option<Vec<Text<{ limits::IDENTIFIER_LENGTH }>>>,
        /// `included` unless given.
        pub side: Option<SideName>,
        /// That of the segment unless given.
        pub context_kind: Option<Text<{ limits::CONTEXT_KIND_LENGTH }>>,
    }
}

/// How many members changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct MembersChanged {
    pub added: usize,
    pub removed: usize,
    /// Named, and already so.
    pub unchanged: usize,
}

impl From<Counts> for MembersChanged {
    fn from(counts: Counts) -> Self {
        Self {
            added: counts.added,
            removed: counts.removed,
            unchanged: counts.unchanged,
        }
    }
}

/// Lines of a file that were passed over.
#[derive(Debug, Serialize, ToSchema)]
pub struct IgnoredLines {
    pub empty: usize,
    pub duplicates: usize,
    pub too_long: usize,
}

impl From<Ignored> for IgnoredLines {
    fn from(ignored: Ignored) -> Self {
        Self {
            empty: ignored.empty,
            duplicates: ignored.duplicates,
            too_long: ignored.too_long,
        }
    }
}

/// What came of a file of members.
#[derive(Debug, Serialize, ToSchema)]
pub struct MembersUploaded {
    /// Of the list, now.
    pub version: i64,
    /// In the list, now.
    pub members: i64,
    pub added: usize,
    pub removed: usize,
    pub unchanged: usize,
    pub ignored: IgnoredLines,
}

impl From<Uploaded> for MembersUploaded {
    fn from(done: Uploaded) -> Self {
        Self {
            version: done.version,
            members: done.members,
            added: done.counts.added,
            removed: done.counts.removed,
            unchanged: done.counts.unchanged,
            ignored: done.ignored.into(),
        }
    }
}

/// Where a member stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListMemberView {
    pub member: String,
    pub context_kind: String,
    pub included: bool,
    pub excluded: bool,
}

/// The list that a query means.
fn choice(query: &Query) -> Result<Choice, Error> {
    let side = query.text("side").unwrap_or("included");
    let side = Side::parse(side)
        .ok_or_else(|| Error::field("side", format!("\"{side}\" is not a valid choice.")))?;
    Ok(Choice {
        context_kind: query.text("context_kind").map(str::to_owned),
        side,
    })
}

/// Adds and removes members, up to 10,000 in one request. All of it happens, or nothing.
#[utoipa::path(post, path = "/api/v1/environments/{environment_key}/list-segments/{segment_key}/members/",
    tag = "list segments", request_body = MembersBody, responses((status = 200, body = MembersChanged)))]
async fn edit_members(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, segment)): Path<(String, String)>,
    body: Body,
) -> ApiResult<Json<MembersChanged>> {
    members::require_edit(&app, &caller, &key, &segment).await?;
    for field in ["add", "remove"] {
        let named = body.0.get(field).and_then(Value::as_array);
        if named.is_some_and(|named| named.len() > limits::MEMBERS_PER_REQUEST) {
            return Err(too_many(field).into());
        }
    }
    let input: MembersBody = body.parse()?;
    let (add, remove) = (input.add.unwrap_or_default(), input.remove.unwrap_or_default());
    if add.len() + remove.len() > limits::MEMBERS_PER_REQUEST {
        return Err(too_many("remove").into());
    }
    let additions = add.into_iter().map(|member| (member.0, true));
    let removals = remove.into_iter().map(|member| (member.0, false));
    let edit = ListEdit {
        entrance: Some(Entrance::ListMembers),
        choice: Choice {
            context_kind: input.context_kind.map(|kind| kind.0),
            side: input.side.map_or(Side::Included, Side::from),
        },
        members: additions.chain(removals).collect(),
    };
    let counts = members::edit(&app, &caller, &key, &segment, &[edit]).await?;
    Ok(Json(counts.into()))
}

fn too_many(field: &str) -> Error {
    let text = format!(
        "One request names no more than {} members. Larger lists are uploaded as files.",
        limits::MEMBERS_PER_REQUEST
    );
    Error::field(field, text)
}

/// Looks one member up. Needs the permission to see identities.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/list-segments/{segment_key}/members/lookup/",
    tag = "list segments",
    params(
        ("member" = String, Query, description = "The member, exactly"),
        ("context_kind" = Option<String>, Query, description = "That of the segment unless given")),
    responses((status = 200, body = ListMemberView)))]
async fn look_up_member(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, segment)): Path<(String, String)>,
    query: Query,
) -> ApiResult<Json<ListMemberView>> {
    let mut tx = app.db().read().await?;
    let member = query.get("member").unwrap_or_default();
    let kind = query.text("context_kind").map(str::to_owned);
    let Listed {
        context_kind,
        included,
        excluded,
    } = members::look_up(&app, &mut tx, &caller, &key, &segment, kind, member).await?;
    if member.is_empty() {
        return Err(Error::field("member", "This field is required.").into());
    }
    Ok(Json(ListMemberView {
        member: member.to_owned(),
        context_kind,
        included,
        excluded,
    }))
}

/// All members of a list as a file: a line of JSON each, or a CSV of one column. Needs the permission to see identities.
///
/// The answer breaks off when the list is replaced meanwhile.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/list-segments/{segment_key}/members/",
    tag = "list segments",
    params(
        ("format" = Option<String>, Query, description = "`ndjson`, or `csv` (the default)"),
        ("side" = Option<String>, Query, description = "`included` (the default) or `excluded`"),
        ("context_kind" = Option<String>, Query, description = "That of the segment unless given")),
    responses((status = 200, content((String = "text/csv"), (String = "application/x-ndjson")))))]
async fn download_members(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, segment)): Path<(String, String)>,
    query: Query,
) -> ApiResult<Response> {
    let format = format(query.text("format"))?.unwrap_or(Format::Csv);
    let choice = choice(&query)?;
    let mut tx = app.db().read().await?;
    let download = Download::begin(&mut tx, &caller, &key, &segment, &choice).await?;
    drop(tx);
    let header = match format {
        Format::Csv => Bytes::from_static(b"identifier\n"),
        Format::Ndjson => Bytes::new(),
    };
    let pages = futures_util::stream::unfold(Some((app, download)), move |state| async move {
        let (app, mut download) = state?;
        match download.next(&app).await {
            Ok(Some(members)) => Some((Ok(written(&members, format)), Some((app, download)))),
            Ok(None) => None,
            // What is sent can't be taken back: the answer breaks off.
            Err(error) => Some((Err(std::io::Error::other(error)), None)),
        }
    });
    let whole = futures_util::StreamExt::chain(futures_util::stream::iter([Ok(header)]), pages);
    let mut response = Response::new(FileBody::from_stream(whole));
    let (kind, ending) = match format {
        Format::Csv => ("text/csv; charset=utf-8", "csv"),
        Format::Ndjson => ("application/x-ndjson", "ndjson"),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{segment}.{ending}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

fn written(members: &[String], format: Format) -> Bytes {
    let mut out = String::new();
    for member in members {
        match format {
            Format::Ndjson => {
                out.push_str("{\"identifier\":");
                out.push_str(&serde_json::to_string(member).unwrap_or_default());
                out.push('}');
            }
            Format::Csv if member.contains(['"', ',', '\n', '\r']) || member.trim() != member => {
                out.push('"');
                out.push_str(&member.replace('"', "\"\""));
                out.push('"');
            }
            Format::Csv => out.push_str(member),
        }
        out.push('\n');
    }
    out.into()
}

fn format(name: Option<&str>) -> Result<Option<Format>, Error> {
    match name {
        None => Ok(None),
        Some("csv") => Ok(Some(Format::Csv)),
        Some("ndjson" | "jsonl") => Ok(Some(Format::Ndjson)),
        Some(other) => Err(Error::field(
            "format",
            format!("\"{other}\" is not a valid choice."),
        )),
    }
}

/// How the file of a request is written, as far as its headers say.
fn format_of(headers: &HeaderMap) -> Option<Format> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    match kind.split(';').next()?.trim().to_ascii_lowercase().as_str() {
        "text/csv" => Some(Format::Csv),
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Some(Format::Ndjson),
        _ => None,
    }
}

/// Takes a file of members: CSV or a line of JSON each, packed with gzip or not, of any size.
///
/// With `mode=replace` its members are the list from the moment the file is taken in whole; until then everybody is served
/// the list as it was. With `mode=add` and `mode=remove` they come or go.
#[utoipa::path(post, path = "/api/v1/environments/{environment_key}/list-segments/{segment_key}/members/upload/",
    tag = "list segments",
    params(
        ("mode" = String, Query, description = "`replace`, `add` or `remove`"),
        ("format" = Option<String>, Query, description = "`csv` or `ndjson`; unless given, the kind of the body tells, or its beginning"),
        ("side" = Option<String>, Query, description = "`included` (the default) or `excluded`"),
        ("context_kind" = Option<String>, Query, description = "That of the segment unless given")),
    request_body(content((String = "text/csv"), (String = "application/x-ndjson"), (String = "application/gzip"))),
    responses((status = 200, body = MembersUploaded), (status = 409, description = "The list was rewritten meanwhile")))]
async fn upload_members(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, segment)): Path<(String, String)>,
    query: Query,
    headers: HeaderMap,
    body: FileBody,
) -> ApiResult<Json<MembersUploaded>> {
    let (list, guard) = members::require_edit(&app, &caller, &key, &segment).await?;
    let mode = match query.text("mode") {
        Some("replace") => Mode::Replace,
        Some("add") => Mode::Add,
        Some("remove") => Mode::Remove,
        Some(other) => {
            return Err(Error::field("mode", format!("\"{other}\" is not a valid choice.")).into());
        }
        // Nothing else would be safe to guess.
        None => return Err(Error::field("mode", "This field is required.").into()),
    };
    let choice = choice(&query)?;
    let format = format(query.text("format"))?.or_else(|| format_of(&headers));
    let file = received(body, limits::MEMBERS_FILE_BYTES).await?;
    let watch = guard.map(|guard| Watch {
        guard,
        context_kind: choice.context_kind.clone().unwrap_or(list.context_kind),
        mode,
        entrance: Entrance::ListUploads,
    });
    let read = tokio::task::spawn_blocking(move || upload::read(file, format, watch)).await;
    let upload = read.map_err(|error| Error::Internal(error.to_string()))??;
    let done = replace::upload(&app, &caller, &key, &segment, &choice, mode, upload).await?;
    Ok(Json(done.into()))
}
