//! `…/integrations/{name}/` below organisations, projects and environments: the same operations for every integration.
//!
//! Which there are, where they are set up and what can be set stands in `burgee_app::integrations`; routes and their
//! description are made from that.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json};
use burgee_app::integrations::configuration::{self, Owner, Shown};
use burgee_app::integrations::deliveries::{self, IntegrationDelivery};
use burgee_app::integrations::{self, Below, Field, FieldKind, Integration, Mount, Told};
use burgee_app::{App, Error};
use burgee_model::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::{
    ArrayBuilder, ContentBuilder, ObjectBuilder, Ref, RefOr, Required, ResponseBuilder, Schema,
};
use utoipa_axum::router::OpenApiRouter;

use crate::body::Body;
use crate::caller::Signed;
use crate::error::{ApiError, ApiResult};
use crate::fields::{self, Blank, Field as _, HttpUrl, Text};
use crate::params::Path;

/// The longest address that is called.
const URL_LENGTH: usize = 200;

/// The routes of every integration.
pub fn router() -> OpenApiRouter<App> {
    let mut router = OpenApiRouter::new();
    for integration in integrations::ALL {
        for mount in integration.mounts {
            router = router.merge(routes(integration, mount));
        }
    }
    router
}

/// Something that an integration was sent.
#[derive(Debug, Serialize, ToSchema)]
pub struct IntegrationDeliveryView {
    pub id: i64,
    /// What it was told: the line of the audit log, or how many identities.
    pub event: String,
    pub delivered: bool,
    /// What was answered, where there was an answer.
    pub response_status: Option<i64>,
    /// The beginning of what was answered.
    pub response_body: Option<String>,
    /// Why it counts as failed.
    pub error: Option<String>,
    pub created_at: String,
}

impl From<IntegrationDelivery> for IntegrationDeliveryView {
    fn from(delivery: IntegrationDelivery) -> Self {
        Self {
            id: delivery.id,
            event: delivery.event,
            delivered: delivery.delivered,
            response_status: delivery.response_status,
            response_body: delivery.response_body,
            error: delivery.error,
            created_at: Timestamp(delivery.created_at).rest(),
        }
    }
}

/// One integration at one place.
#[derive(Debug, Clone, Copy)]
struct Mounted(&'static Integration, &'static Mount);

impl Mounted {
    fn path(self) -> String {
        let (parameter, name) = (self.1.below.parameter(), self.0.name);
        let collection = match self.1.below {
            Below::Organisation => "organisations",
            Below::Project => "projects",
            Below::Environment => "environments",
        };
        format!("/api/v1/{collection}/{{{parameter}}}/integrations/{name}/")
    }

    fn owner(self, text: &str) -> ApiResult<Owner<'_>> {
        let id = || text.parse().map_err(|_| ApiError::not_found());
        Ok(match self.1.below {
            Below::Organisation => Owner::Organisation(id()?),
            Below::Project => Owner::Project(id()?),
            Below::Environment => Owner::Environment(text),
        })
    }

    /// The configuration as it is answered.
    fn view(self, shown: Shown) -> Json<Value> {
        let mut view = Map::new();
        view.insert("id".to_owned(), json!(shown.id));
        if self.tells_environment() {
            view.insert("environment".to_owned(), json!(shown.environment_id));
        }
        view.extend(shown.values);
        Json(Value::Object(view))
    }

    /// One of them has always told its environment's id.
    fn tells_environment(self) -> bool {
        self.0.name == "sentry"
    }

    /// What a body sets: everything, or (`whole` false) some of it.
    fn read(self, body: &Body, whole: bool) -> ApiResult<Map<String, Value>> {
        let object = fields::object(Some(&body.0)).map_err(|wrong| ApiError(Error::Rejected(wrong)))?;
        let mut given = Map::new();
        let mut problems = burgee_model::Problems::new();
        for field in self.0.fields {
            let value = object.get(field.name);
            if value.is_none() && !(whole && field.required) {
                continue;
            }
            match read_field(field, value) {
                Ok(value) => {
                    given.insert(field.name.to_owned(), value);
                }
                Err(wrong) => problems.nest(field.name, wrong),
            }
        }
        if problems.is_empty() {
            Ok(given)
        } else {
            Err(ApiError::invalid(problems))
        }
    }
}

fn read_field(field: &Field, value: Option<&Value>) -> Result<Value, Value> {
    match field.kind {
        FieldKind::Text { min, max } => {
            let text = Blank::<1000>::read(value)?.0;
            if field.secret && text == configuration::MASK {
                return Ok(text.into());
            }
            if text.is_empty() && min > 0 {
                return Err(fields::message("This field may not be blank."));
            }
            let length = text.chars().count();
            if length < min {
                let wrong = format!("Ensure this field has at least {min} characters.");
                return Err(fields::message(wrong));
            }
            if length > max {
                let wrong = format!("Ensure this field has no more than {max} characters.");
                return Err(fields::message(wrong));
            }
            Ok(text.into())
        }
        FieldKind::Url => match value {
            Some(Value::Null) => Ok(Value::Null),
            Some(Value::String(text)) if text.is_empty() => Ok(Value::Null),
            value => url(value),
        },
        FieldKind::RequiredUrl => url(value),
        FieldKind::OneOf(words) => {
            let Text(word) = Text::<1000>::read(value)?;
            if words.contains(&word.as_str()) {
                Ok(word.into())
            } else {
                Err(fields::message(format!("\"{word}\" is not a valid choice.")))
            }
        }
        FieldKind::Bool(_) => bool::read(value).map(Value::from),
    }
}

fn url(value: Option<&Value>) -> Result<Value, Value> {
    match HttpUrl::<URL_LENGTH>::read(value) {
        Ok(url) => Ok(url.0.into()),
        // One message says it.
        Err(wrong) if wrong.as_array().is_some_and(|list| list.len() > 1) => {
            Err(fields::message("Enter a valid URL."))
        }
        Err(wrong) => Err(wrong),
    }
}

fn routes(integration: &'static Integration, mount: &'static Mount) -> OpenApiRouter<App> {
    let mounted = Mounted(integration, mount);
    let path = mounted.path();
    let one = format!("{path}{{integration_id}}/");
    let mut router = OpenApiRouter::new()
        .route(&path, get(list).post(create).layer(Extension(mounted)))
        .route(
            &one,
            get(retrieve)
                .put(update)
                .patch(patch)
                .delete(delete)
                .layer(Extension(mounted)),
        );
    if !matches!(integration.told, Told::Nothing) {
        router = router
            .route(
                &format!("{one}test/"),
                post(send_example).layer(Extension(mounted)),
            )
            .route(
                &format!("{one}deliveries/"),
                get(list_deliveries).layer(Extension(mounted)),
            );
    }
    describe(router.get_openapi_mut(), mounted, &path, &one);
    router
}

async fn list(
    State(app): State<App>,
    Signed(caller): Signed,
    Extension(mounted): Extension<Mounted>,
    Path(owner): Path<String>,
) -> ApiResult<Json<Vec<Value>>> {
    let Mounted(integration, mount) = mounted;
    let found = configuration::list(&app, &caller, (integration, mount), mounted.owner(&owner)?).await?;
    Ok(Json(
        found.into_iter().map(|shown| mounted.view(shown).0).collect(),
    ))
}

async fn create(
    State(app): State<App>,
    Signed(caller): Signed,
    Extension(mounted): Extension<Mounted>,
    Path(owner): Path<String>,
    body: Body,
) -> ApiResult<Response> {
    let Mounted(integration, mount) = mounted;
    let owner = mounted.owner(&owner)?;
    configuration::require(&app, &caller, mount, owner).await?;
    let given = mounted.read(&body, true)?;
    let made = configuration::create(&app, &caller, (integration, mount), owner, given).await?;
    Ok((StatusCode::CREATED, mounted.view(made)).into_response())
}

async fn retrieve(
    State(app): State<App>,
    Signed(caller): Signed,
    Extension(mounted): Extension<Mounted>,
    Path((owner, id)): Path<(String, i64)>,
) -> ApiResult<Json<Value>> {
    let Mounted(integration, mount) = mounted;
    let owner = mounted.owner(&owner)?;
    let found = configuration::get(&app, &caller, (integration, mount), owner, id).await?;
    Ok(mounted.view(found))
}

async fn change(
    app: &App,
    caller: &burgee_app::Caller,
    mounted: Mounted,
    (owner, id): (&str, i64),
    (body, whole): (&Body, bool),
) -> ApiResult<Json<Value>> {
    let Mounted(integration, mount) = mounted;
    let owner = mounted.owner(owner)?;
    configuration::require_one(app, caller, (integration, mount), owner, id).await?;
    let given = mounted.read(body, whole)?;
    let changed = configuration::update(app, caller, (integration, mount), owner, id, given).await?;
    Ok(mounted.view(changed))
}

async fn update(
    State(app): State<App>,
    Signed(caller): Signed,
    Extension(mounted): Extension<Mounted>,
    Path((owner, id)): Path<(String, i64)>,
    body: Body,
) -> ApiResult<Json<Value>> {
    change(&app, &caller, mounted, (&owner, id), (&body, true)).await
}

async fn patch(
    State(app): State<App>,
    Signed(caller): Signed,
    Extension(mounted): Extension<Mounted>,
    Path((owner, id)): Path<(String, i64)>,
    body: Body,
) -> ApiResult<Json<Value>> {
    change(&app, &caller, mounted, (&owner, id), (&body, false)).await
}

async fn delete(
    State(app): State<App>,
    Signed(caller): Signed,
    Extension(mounted): Extension<Mounted>,
    Path((owner, id)): Path<(String, i64)>,
) -> ApiResult<StatusCode> {
    let Mounted(integration, mount) = mounted;
    let owner = mounted.owner(&owner)?;
    configuration::delete(&app, &caller, (integration, mount), owner, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn send_example(
    State(app): State<App>,
    Signed(caller): Signed,
    Extension(mounted): Extension<Mounted>,
    Path((owner, id)): Path<(String, i64)>,
) -> ApiResult<Json<IntegrationDeliveryView>> {
    let Mounted(integration, mount) = mounted;
    let owner = mounted.owner(&owner)?;
    let sent = deliveries::test(&app, &caller, (integration, mount), owner, id).await?;
    Ok(Json(sent.into()))
}

async fn list_deliveries(
    State(app): State<App>,
    Signed(caller): Signed,
    Extension(mounted): Extension<Mounted>,
    Path((owner, id)): Path<(String, i64)>,
) -> ApiResult<Json<Vec<IntegrationDeliveryView>>> {
    let Mounted(integration, mount) = mounted;
    let owner = mounted.owner(&owner)?;
    let found = deliveries::list(&app, &caller, (integration, mount), owner, id).await?;
    Ok(Json(found.into_iter().map(Into::into).collect()))
}

/// The schema of a field, as it is given or answered.
fn field_schema(field: &Field) -> RefOr<Schema> {
    let schema = match field.kind {
        FieldKind::Text { min, max } => ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::String))
            // A mask may stand in the place of a secret.
            .min_length((min > 0 && !field.secret).then_some(min))
            .max_length(Some(max))
            .into(),
        FieldKind::Url => Option::<HttpUrl<URL_LENGTH>>::schema(),
        FieldKind::RequiredUrl => HttpUrl::<URL_LENGTH>::schema(),
        FieldKind::OneOf(words) => fields::one_of("", words),
        FieldKind::Bool(_) => bool::schema(),
    };
    let about = if field.secret {
        "Kept encrypted, and never told: a mask stands in its place. The mask given back changes nothing."
    } else {
        ""
    };
    fields::described(schema, about)
}

/// The description of the operations of one integration at one place.
fn describe(document: &mut utoipa::openapi::OpenApi, mounted: Mounted, path: &str, one: &str) {
    let Mounted(integration, mount) = mounted;
    let view = mount.schema.to_owned();
    let (body, part) = (format!("{view}Body"), format!("{view}Patch"));
    let given = |whole: bool| {
        let fields = integration.fields.iter();
        let fields = fields.map(|field| (field.name, field_schema(field), whole && field.required));
        fields::object_schema(fields.collect())
    };
    let mut shown = ObjectBuilder::new().property("id", i64::schema()).required("id");
    if mounted.tells_environment() {
        shown = shown
            .property("environment", i64::schema())
            .required("environment");
    }
    for field in integration.fields {
        shown = shown
            .property(field.name, field_schema(field))
            .required(field.name);
    }
    let components = document.components.get_or_insert_default();
    components.schemas.insert(view.clone(), shown.into());
    components.schemas.insert(body.clone(), given(true));
    components.schemas.insert(part.clone(), given(false));

    let below = match mount.below {
        Below::Organisation => "organisation",
        Below::Project => "project",
        Below::Environment => "environment",
    };
    let noun = format!("{below}_{}", integration.name.replace('-', "_"));
    let whole = || -> RefOr<Schema> { Ref::from_schema_name(&view).into() };
    let many: Schema = ArrayBuilder::new().items(whole()).into();
    let operation =
        |verb: &str, about: &str, status: &str, answer: Option<RefOr<Schema>>, takes: bool, single: bool| {
            let mut response = ResponseBuilder::new();
            if let Some(schema) = answer {
                let content = ContentBuilder::new().schema(Some(schema)).build();
                response = response.content("application/json", content);
            }
            let plural = if single || verb == "create" { "" } else { "s" };
            let mut operation = OperationBuilder::new()
                .operation_id(Some(format!("{verb}_{noun}_integration{plural}")))
                .tag("integrations")
                .summary(Some(format!("{about} ({}).", integration.name)))
                .parameter(parameter(mount.below.parameter()))
                .response(status, response);
            if single {
                operation = operation.parameter(parameter("integration_id"));
            }
            if takes {
                let name = if verb == "patch" { &part } else { &body };
                let schema: RefOr<Schema> = Ref::from_schema_name(name).into();
                let content = ContentBuilder::new().schema(Some(schema)).build();
                let request = RequestBodyBuilder::new().content("application/json", content);
                operation = operation.request_body(Some(request.required(Some(Required::True)).build()));
            }
            operation.build()
        };
    let paths = &mut document.paths;
    let mut add = |path: &str, method: HttpMethod, operation| {
        paths.add_path_operation(path, vec![method], operation);
    };
    let list = operation(
        "list",
        "The integration, where it is set up",
        "200",
        Some(many.into()),
        false,
        false,
    );
    add(path, HttpMethod::Get, list);
    let create = operation(
        "create",
        "Sets up the integration",
        "201",
        Some(whole()),
        true,
        false,
    );
    add(path, HttpMethod::Post, create);
    let get = operation("get", "The integration", "200", Some(whole()), false, true);
    add(one, HttpMethod::Get, get);
    let update = operation(
        "update",
        "Sets the integration anew",
        "200",
        Some(whole()),
        true,
        true,
    );
    add(one, HttpMethod::Put, update);
    let partly = operation(
        "patch",
        "Changes single things of the integration",
        "200",
        Some(whole()),
        true,
        true,
    );
    add(one, HttpMethod::Patch, partly);
    let delete = operation("delete", "Ends the integration", "204", None, false, true);
    add(one, HttpMethod::Delete, delete);
    if matches!(integration.told, Told::Nothing) {
        return;
    }
    let name = IntegrationDeliveryView::name();
    let delivery = || -> RefOr<Schema> { Ref::from_schema_name(name.as_ref()).into() };
    let many: Schema = ArrayBuilder::new().items(delivery()).into();
    let test = operation(
        "test",
        "Sends an example at once, and tells what came of it",
        "200",
        Some(delivery()),
        false,
        true,
    );
    add(&format!("{one}test/"), HttpMethod::Post, test);
    let log = operation(
        "list_deliveries_of",
        "What it was sent lately, newest first; at most 50",
        "200",
        Some(many.into()),
        false,
        true,
    );
    add(&format!("{one}deliveries/"), HttpMethod::Get, log);
    let components = document.components.get_or_insert_default();
    components.schemas.insert(
        name.to_string(),
        <IntegrationDeliveryView as utoipa::PartialSchema>::schema(),
    );
}

fn parameter(name: &str) -> utoipa::openapi::path::Parameter {
    let schema = if name == "environment_key" {
        <String as utoipa::PartialSchema>::schema()
    } else {
        i64::schema()
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .schema(Some(schema))
        .build()
}
