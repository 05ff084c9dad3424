//! Reading input fields: one place for types, limits, messages and their description in the OpenAPI document.
//!
//! [`crate::input!`] declares a body; every field type says how it is read and how it is described. All problems of a
//! body are found in one pass and answered together, in the words of Django REST framework.

use std::marker::PhantomData;

use burgee_model::{Problems, Timestamp};
use serde_json::{Map, Value, json};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, OneOfBuilder, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{KnownFormat, RefOr, Schema};

/// A type that input can be read as.
pub trait Field: Sized {
    /// Whether a body without it is refused.
    const REQUIRED: bool = true;

    /// Reads the value (`None`: not given). The error is what stands under the field's name in the answer.
    fn read(value: Option<&Value>) -> Result<Self, Value>;

    /// How the OpenAPI document describes it.
    fn schema() -> RefOr<Schema>;
}

/// A list of one message, the usual shape of what is wrong with a field.
pub fn message(text: impl Into<String>) -> Value {
    json!([text.into()])
}

/// The value, when it is given and not null.
fn present(value: Option<&Value>) -> Result<&Value, Value> {
    match value {
        None => Err(message("This field is required.")),
        Some(Value::Null) => Err(message("This field may not be null.")),
        Some(value) => Ok(value),
    }
}

/// Python's name for the type of a JSON value, as messages quote it.
pub fn python_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(n) if n.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

fn of_type(kind: Type) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::new(kind))
}

/// The schema of what may also be null.
fn or_null(schema: RefOr<Schema>) -> RefOr<Schema> {
    let null = || of_type(Type::Null);
    match schema {
        RefOr::T(Schema::Object(mut object)) => {
            let kinds = match object.schema_type {
                SchemaType::Type(kind) => vec![kind, Type::Null],
                SchemaType::Array(kinds) => kinds.into_iter().chain([Type::Null]).collect(),
                SchemaType::AnyValue => return object.into(),
            };
            object.schema_type = SchemaType::Array(kinds);
            if let Some(words) = &mut object.enum_values {
                words.push(Value::Null);
            }
            object.into()
        }
        other => OneOfBuilder::new().item(other).item(null()).into(),
    }
}

/// The schema of one of several words.
pub fn one_of(description: &str, words: &[&str]) -> RefOr<Schema> {
    of_type(Type::String)
        .description(Some(description.trim()))
        .enum_values(Some(words.iter().copied()))
        .into()
}

/// Text as DRF's `CharField` reads it: numbers become text, blanks around it go.
fn text(value: Option<&Value>, max: usize, blank: bool) -> Result<String, Value> {
    let text = match present(value)? {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return Err(message("Not a valid string.")),
    };
    if text.is_empty() && !blank {
        return Err(message("This field may not be blank."));
    }
    if text.contains('\0') {
        return Err(message("Null characters are not allowed."));
    }
    if text.chars().count() > max {
        return Err(message(format!(
            "Ensure this field has no more than {max} characters."
        )));
    }
    Ok(text)
}

/// Text of at most `MAX` characters that says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text<const MAX: usize>(pub String);

impl<const MAX: usize> Field for Text<MAX> {
    fn read(value: Option<&Value>) -> Result<Self, Value> {
        text(value, MAX, false).map(Self)
    }

    fn schema() -> RefOr<Schema> {
        of_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(MAX))
            .into()
    }
}

/// Text of at most `MAX` characters that may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blank<const MAX: usize>(pub String);

impl<const MAX: usize> Field for Blank<MAX> {
    fn read(value: Option<&Value>) -> Result<Self, Value> {
        text(value, MAX, true).map(Self)
    }

    fn schema() -> RefOr<Schema> {
        of_type(Type::String).max_length(Some(MAX)).into()
    }
}

/// An e-mail address, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(pub String);

impl Field for Email {
    fn read(value: Option<&Value>) -> Result<Self, Value> {
        let text = text(value, 254, false)?;
        let plausible = text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && !local.contains(|c: char| c.is_whitespace() || c == '@' || c == ',' || c == ';')
                && domain.split('.').count() >= 2
                && domain
                    .split('.')
                    .all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'))
                && domain
                    .chars()
                    .all(|c| c.is_alphanumeric() || c == '.' || c == '-')
        });
        if plausible {
            Ok(Self(text.to_lowercase()))
        } else {
            Err(message("Enter a valid email address."))
        }
    }

    fn schema() -> RefOr<Schema> {
        of_type(Type::String)
            .format(Some(SchemaFormat::Custom("email".to_owned())))
            .into()
    }
}

/// An address that this program calls: `http` or `https`, of at most `MAX` characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpUrl<const MAX: usize>(pub String);

impl<const MAX: usize> Field for HttpUrl<MAX> {
    fn read(value: Option<&Value>) -> Result<Self, Value> {
        let text = text(value, MAX, false)?;
        let url = url::Url::parse(&text).ok();
        let mut wrong = Vec::new();
        if !url
            .as_ref()
            .is_some_and(|url| matches!(url.scheme(), "http" | "https"))
        {
            wrong.push("Enter a valid http(s) URL.");
        }
        let is_url =
            |url: &url::Url| url.has_host() && text.contains("://") && !text.contains(char::is_whitespace);
        if !url.as_ref().is_some_and(is_url) {
            wrong.push("Enter a valid URL.");
        }
        if wrong.is_empty() {
            Ok(Self(text))
        } else {
            Err(json!(wrong))
        }
    }

    fn schema() -> RefOr<Schema> {
        of_type(Type::String)
            .format(Some(SchemaFormat::Custom("uri".to_owned())))
            .max_length(Some(MAX))
            .into()
    }
}

impl Field for i64 {
    fn read(value: Option<&Value>) -> Result<Self, Value> {
        let number = match present(value)? {
            Value::Number(n) => n
                .as_i64()
                .or_else(|| n.as_f64().filter(|f| f.fract() == 0.0).map(|f| f as i64)),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        number.ok_or_else(|| message("A valid integer is required."))
    }

    fn schema() -> RefOr<Schema> {
        of_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .into()
    }
}

/// A whole number between two bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whole<const MIN: i64, const MAX: i64>(pub i64);

impl<const MIN: i64, const MAX: i64> Field for Whole<MIN, MAX> {
    fn read(value: Option<&Value>) -> Result<Self, Value> {
        let number = i64::read(value)?;
        if number < MIN {
            return Err(message(format!(
                "Ensure this value is greater than or equal to {MIN}."
            )));
        }
        if number > MAX {
            return Err(message(format!(
                "Ensure this value is less than or equal to {MAX}."
            )));
        }
        Ok(Self(number))
    }

    fn schema() -> RefOr<Schema> {
        of_type(Type::Integer)
            .minimum(Some(MIN as f64))
            .maximum(Some(MAX as f64))
            .into()
    }
}

impl Field for f64 {
    fn read(value: Option<&Value>) -> Result<Self, Value> {
        let number = match present(value)? {
            Value::Number(n) => n.as_f64(),
            Value::String(text) => text.trim().parse().ok().filter(|n: &f64| n.is_finite()),
            _ => None,
        };
        number.ok_or_else(|| message("A valid number is required."))
    }

    fn schema() -> RefOr<Schema> {
        of_type(Type::Number).into()
    }
}

impl Field for bool {
    fn read(value: Option<&Value>) -> Result<Self, Value> {
        let truth = match present(value)? {
            Value::Bool(b) => Some(*b),
            Value::Number(n) if n.as_f64() == Some(1.0) => Some(true),
            Value::Number(n) if n.as_f64() == Some(0.0) => Some(false),
            Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "t" | "yes" | "y" | "on" | "1" => Some(true),
                "false" | "f" | "no" | "n" | "off" | "0" => Some(false),
                _ => None,
            },
            _ => None,
        };
        truth.ok_or_else(|| message("Must be a valid boolean."))
    }

    fn schema() -> RefOr<Schema> {
        of_type(Type::Boolean).into()
    }
}

/// The id of another object. Whether it exists is for the act to check: see [`no_such`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pk(pub i64);

impl Field for Pk {
    fn read(value: Option<&Value>) -> Result<Self, Value> {
        let value = present(value)?;
        let id = match value {
            Value::Number(n) => n.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let wrong = || {
            message(format!(
                "Incorrect type. Expected pk value, received {}.",
                python_type(value)
            ))
        };
        id.map(Self).ok_or_else(wrong)
    }

    fn schema() -> RefOr<Schema> {
        i64::schema()
    }
}

/// What is said of an id that names nothing.
pub fn no_such(id: i64) -> String {
    format!("Invalid pk \"{id}\" - object does not exist.")
}

impl Field for Timestamp {
    fn read(value: Option<&Value>) -> Result<Self, Value> {
        const WRONG: &str = "Datetime has wrong format. Use one of these formats instead: \
                             YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].";
        let moment = present(value)?.as_str().and_then(Timestamp::parse);
        moment.ok_or_else(|| message(WRONG))
    }

    fn schema() -> RefOr<Schema> {
        of_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .into()
    }
}

/// Anything at all, null included.
impl Field for Value {
    fn read(value: Option<&Value>) -> Result<Self, Value> {
        value.cloned().ok_or_else(|| message("This field is required."))
    }

    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(SchemaType::AnyValue).into()
    }
}

/// Not given and null are the same: nothing.
impl<T: Field> Field for Option<T> {
    const REQUIRED: bool = false;

    fn read(value: Option<&Value>) -> Result<Self, Value> {
        match value {
            None | Some(Value::Null) => Ok(None),
            value => T::read(value).map(Some),
        }
    }

    fn schema() -> RefOr<Schema> {
        or_null(T::schema())
    }
}

/// Must be given, and may be null.
#[derive(Debug, Clone, PartialEq)]
pub struct OrNull<T>(pub Option<T>);

impl<T: Field> Field for OrNull<T> {
    fn read(value: Option<&Value>) -> Result<Self, Value> {
        match value {
            Some(Value::Null) => Ok(Self(None)),
            value => T::read(value).map(|value| Self(Some(value))),
        }
    }

    fn schema() -> RefOr<Schema> {
        or_null(T::schema())
    }
}

/// May be left out; when given it is read as `T` (with `Given<Option<…>>` null is a value of its own).
#[derive(Debug, Clone, PartialEq)]
pub struct Given<T>(pub Option<T>);

impl<T: Field> Field for Given<T> {
    const REQUIRED: bool = false;

    fn read(value: Option<&Value>) -> Result<Self, Value> {
        match value {
            None => Ok(Self(None)),
            value => T::read(value).map(|value| Self(Some(value))),
        }
    }

    fn schema() -> RefOr<Schema> {
        T::schema()
    }
}

impl<T> Given<T> {
    /// Moves the value, when given, to where it belongs.
    pub fn set(self, place: &mut T) {
        if let Some(value) = self.0 {
            *place = value;
        }
    }
}

impl<T: Field> Field for Vec<T> {
    fn read(value: Option<&Value>) -> Result<Self, Value> {
        let value = present(value)?;
        let Value::Array(items) = value else {
            let text = format!(
                "Expected a list of items but got type \"{}\".",
                python_type(value)
            );
            return Err(json!({ "non_field_errors": [text] }));
        };
        let read: Vec<Result<T, Value>> = items.iter().map(|item| T::read(Some(item))).collect();
        if read.iter().all(Result::is_ok) {
            return Ok(read.into_iter().filter_map(Result::ok).collect());
        }
        let mirrored = read
            .into_iter()
            .map(|item| item.err().unwrap_or_else(|| Value::Object(Map::new())));
        Err(mirrored.collect())
    }

    fn schema() -> RefOr<Schema> {
        ArrayBuilder::new().items(T::schema()).into()
    }
}

/// A field that is taken from the body elsewhere, or that old clients send along: whatever stands there is let pass here.
#[derive(Debug, Clone)]
pub struct Unread<T>(PhantomData<T>);

impl<T: Field> Field for Unread<T> {
    const REQUIRED: bool = false;

    fn read(_: Option<&Value>) -> Result<Self, Value> {
        Ok(Self(PhantomData))
    }

    fn schema() -> RefOr<Schema> {
        T::schema()
    }
}

/// The members of an object, or what DRF says of something else.
pub fn object(value: Option<&Value>) -> Result<&Map<String, Value>, Value> {
    let value = match value {
        Some(Value::Null) => return Err(json!({ "non_field_errors": ["No data provided"] })),
        value => present(value)?,
    };
    value.as_object().ok_or_else(|| {
        let text = format!(
            "Invalid data. Expected a dictionary, but got {}.",
            python_type(value)
        );
        json!({ "non_field_errors": [text] })
    })
}

/// Takes one field of an object; what is wrong with it goes to `problems`.
pub fn take<T: Field>(object: &Map<String, Value>, name: &str, problems: &mut Problems) -> Option<T> {
    match T::read(object.get(name)) {
        Ok(value) => Some(value),
        Err(wrong) => {
            problems.nest(name, wrong);
            None
        }
    }
}

/// A schema with what is said of it, when something is.
pub fn described(mut schema: RefOr<Schema>, about: &str) -> RefOr<Schema> {
    let about = Some(about.trim().to_owned()).filter(|about| !about.is_empty());
    if about.is_some() {
        match &mut schema {
            RefOr::T(Schema::Object(object)) => object.description = about,
            RefOr::T(Schema::Array(array)) => array.description = about,
            RefOr::T(Schema::OneOf(one_of)) => one_of.description = about,
            _ => {}
        }
    }
    schema
}

/// The schema of an object whose fields are described one by one.
pub fn object_schema(fields: Vec<(&str, RefOr<Schema>, bool)>) -> RefOr<Schema> {
    let mut schema = ObjectBuilder::new();
    for (name, field, required) in fields {
        schema = schema.property(name, field);
        if required {
            schema = schema.required(name);
        }
    }
    schema.into()
}

/// Declares the body of a request: a struct whose fields are [`Field`]s, read together.
///
/// `Given<T>` for what may be left out, `Option<T>` where null means the same as nothing.
#[macro_export]
macro_rules! input {
    ($(#[doc = $doc:literal])* $(#[derive($($derived:path),*)])? pub struct $name:ident { $($(#[doc = $about:literal])* pub $f:ident : $t:ty),* $(,)? }) => {
        $(#[doc = $doc])*
        $(#[derive($($derived),*)])?
        #[derive(Debug, Clone)]
        pub struct $name { $($(#[doc = $about])* pub $f: $t),* }

        impl $crate::fields::Field for $name {
            fn read(value: Option<&serde_json::Value>) -> Result<Self, serde_json::Value> {
                let object = $crate::fields::object(value)?;
                let mut problems = burgee_model::Problems::new();
                $(let $f = $crate::fields::take::<$t>(object, stringify!($f).trim_start_matches("r#"), &mut problems);)*
                match ($($f,)*) {
                    ($(Some($f),)*) => Ok(Self { $($f),* }),
                    _ => Err(problems.into_json()),
                }
            }

            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                let object = $crate::fields::object_schema(vec![$((
                    stringify!($f).trim_start_matches("r#"),
                    $crate::fields::described(<$t as $crate::fields::Field>::schema(), concat!($($about),*)),
                    <$t as $crate::fields::Field>::REQUIRED,
                )),*]);
                $crate::fields::described(object, concat!($($doc),*))
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                <Self as $crate::fields::Field>::schema()
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
        }
    };
}

/// Declares a body with fields that must be there, on top of one that [`input!`] declares: PATCH may leave out what POST
/// and PUT may not.
#[macro_export]
macro_rules! required {
    ($(#[doc = $doc:literal])* pub struct $name:ident($base:ty) with $($f:ident),+;) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone)]
        pub struct $name(pub $base);

        impl $name {
            const REQUIRED_FIELDS: &[&str] = &[$(stringify!($f)),+];
        }

        impl $crate::fields::Field for $name {
            fn read(value: Option<&serde_json::Value>) -> Result<Self, serde_json::Value> {
                $crate::fields::read_with(value, Self::REQUIRED_FIELDS).map(Self)
            }

            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                let base = <$base as $crate::fields::Field>::schema();
                $crate::fields::described($crate::fields::requiring(base, Self::REQUIRED_FIELDS), concat!($($doc),*))
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                <Self as $crate::fields::Field>::schema()
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
        }
    };
}

/// Reads an object in which some fields must be there. What is wrong and what is missing is told together.
pub fn read_with<T: Field>(value: Option<&Value>, required: &[&str]) -> Result<T, Value> {
    let names = required.iter().map(|name| name.trim_start_matches("r#"));
    let mut missing = Problems::new();
    for name in names.filter(|name| value.and_then(|value| value.get(name)).is_none()) {
        missing.add(name, "This field is required.");
    }
    match (T::read(value), missing.into_json()) {
        (Ok(value), Value::Object(missing)) if missing.is_empty() => Ok(value),
        (Err(Value::Object(mut found)), Value::Object(missing)) => {
            found.extend(missing);
            Err(Value::Object(found))
        }
        (Err(found), _) => Err(found),
        (Ok(_), missing) => Err(missing),
    }
}

/// The schema of an object in which some more fields must be there.
pub fn requiring(mut schema: RefOr<Schema>, required: &[&str]) -> RefOr<Schema> {
    if let RefOr::T(Schema::Object(object)) = &mut schema {
        let names = required
            .iter()
            .map(|name| name.trim_start_matches("r#").to_owned());
        object.required.extend(names);
    }
    schema
}

/// Declares a set of words a field may hold.
#[macro_export]
macro_rules! choices {
    ($(#[doc = $doc:literal])* pub enum $name:ident { $($variant:ident = $word:literal),* $(,)? }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
        pub enum $name { $(#[serde(rename = $word)] $variant),* }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $crate::fields::one_of(concat!($($doc),*), &[$($word),*])
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
        }

        impl $name {
            /// The word on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl $crate::fields::Field for $name {
            fn read(value: Option<&serde_json::Value>) -> Result<Self, serde_json::Value> {
                match value {
                    None => Err($crate::fields::message("This field is required.")),
                    Some(serde_json::Value::Null) => Err($crate::fields::message("This field may not be null.")),
                    $(Some(serde_json::Value::String(word)) if word == $word => Ok(Self::$variant),)*
                    Some(serde_json::Value::String(word)) => {
                        Err($crate::fields::message(format!("\"{word}\" is not a valid choice.")))
                    }
                    Some(other) => Err($crate::fields::message(format!("\"{other}\" is not a valid choice."))),
                }
            }

            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                <Self as utoipa::PartialSchema>::schema()
            }
        }
    };
}
