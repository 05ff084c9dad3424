//! The settings as they are put on top of one another: defaults, file, environment, flags. Each keeps where it came from.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use toml::{Table, Value};

use super::{error::ConfigError, is_secret, suggest::closest};

/// Where the value of a setting came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The embedded `config.default.toml`.
    Default,
    /// Worked out from another setting.
    Derived(&'static str),
    /// A configuration file.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
    /// A command-line flag.
    Flag(&'static str),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Derived(setting) => write!(f, "default, follows {setting}"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Environment(name) => write!(f, "env {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// One value and where it came from.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    pub(super) value: Value,
    pub(super) source: Source,
}

/// All settings by `section.key`. Starts as the defaults, which also say which settings exist and of what kind they are.
#[derive(Debug, Clone)]
pub(super) struct Settings(BTreeMap<String, Setting>);

impl Settings {
    /// The embedded defaults.
    pub(super) fn from_defaults(text: &str) -> Result<Self, toml::de::Error> {
        let mut settings = BTreeMap::new();
        for (section, keys) in text.parse::<Table>()? {
            let Value::Table(keys) = keys else { continue };
            for (key, value) in keys {
                let source = Source::Default;
                settings.insert(format!("{section}.{key}"), Setting { value, source });
            }
        }
        Ok(Self(settings))
    }

    /// Lays a configuration file on top. An unknown section or key is refused.
    pub(super) fn lay_file(&mut self, text: &str, path: &std::path::Path) -> Result<(), ConfigError> {
        let source = Source::File(path.to_owned());
        let table = text.parse::<Table>().map_err(|error| {
            let line = error
                .span()
                .map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            let problem = format!("line {line}: {}", one_line(error.message()));
            ConfigError::new("the configuration file", source.clone(), problem)
        })?;
        for (section, keys) in table {
            let Value::Table(keys) = keys else {
                return Err(self.unknown(&section, source));
            };
            if !self.has_section(&section) {
                let first = keys.keys().next().map(|key| format!("{section}.{key}"));
                return Err(self.unknown(&first.unwrap_or(section), source));
            }
            for (key, value) in keys {
                self.lay(&format!("{section}.{key}"), value, source.clone())?;
            }
        }
        Ok(())
    }

    /// Puts one value over what was there. Its kind must be that of the default.
    pub(super) fn lay(&mut self, name: &str, value: Value, source: Source) -> Result<(), ConfigError> {
        let Some(setting) = self.0.get_mut(name) else {
            return Err(self.unknown(name, source));
        };
        let kind = Kind::of(&setting.value);
        if !kind.accepts(&value) {
            return Err(ConfigError::new(name, source, format!("must be {kind}")));
        }
        *setting = Setting { value, source };
        Ok(())
    }

    /// Puts a value given as text (an environment variable, a flag) over what was there.
    pub(super) fn lay_text(&mut self, name: &str, text: &str, source: Source) -> Result<(), ConfigError> {
        let Some(setting) = self.0.get(name) else {
            return Err(self.unknown(name, source));
        };
        let kind = Kind::of(&setting.value);
        let Some(value) = kind.read(text) else {
            let given = if is_secret(name) {
                String::new()
            } else {
                format!(", not {text:?}")
            };
            return Err(ConfigError::new(name, source, format!("must be {kind}{given}")));
        };
        self.lay(name, value, source)
    }

    /// The value and source of a setting that exists.
    pub(super) fn get(&self, name: &str) -> Option<&Setting> {
        self.0.get(name)
    }

    /// The value of a text setting; empty when it is not set.
    pub(super) fn text(&self, name: &str) -> &str {
        self.get(name)
            .and_then(|setting| setting.value.as_str())
            .unwrap_or_default()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Setting)> {
        self.0.iter().map(|(name, setting)| (name.as_str(), setting))
    }

    pub(super) fn has_section(&self, section: &str) -> bool {
        self.names()
            .any(|name| name.split_once('.').is_some_and(|(of, _)| of == section))
    }

    /// The settings as one document, for reading into [`super::Config`].
    pub(super) fn to_document(&self) -> Value {
        let mut document = Table::new();
        for (name, setting) in self.iter() {
            let Some((section, key)) = name.split_once('.') else {
                continue;
            };
            let section = document
                .entry(section)
                .or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(section) = section {
                section.insert(key.to_owned(), setting.value.clone());
            }
        }
        Value::Table(document)
    }

    fn unknown(&self, name: &str, source: Source) -> ConfigError {
        let hint = closest(name, self.names()).map_or_else(
            || "; `burgee config default` lists them all".to_owned(),
            |known| format!("; did you mean {known}?"),
        );
        ConfigError::new(name, source, format!("there is no such setting{hint}"))
    }
}

/// What kind of value a setting takes, as its default shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Boolean,
    Integer,
    Text,
    List,
}

impl Kind {
    fn of(value: &Value) -> Self {
        match value {
            Value::Boolean(_) => Self::Boolean,
            Value::Integer(_) => Self::Integer,
            Value::Array(_) => Self::List,
            Value::String(_) | Value::Float(_) | Value::Datetime(_) | Value::Table(_) => Self::Text,
        }
    }

    fn accepts(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Boolean, Value::Boolean(_))
            | (Self::Integer, Value::Integer(_))
            | (Self::Text, Value::String(_)) => true,
            (Self::List, Value::Array(items)) => items.iter().all(Value::is_str),
            _ => false,
        }
    }

    /// Reads text as this kind; lists are separated by commas.
    fn read(self, text: &str) -> Option<Value> {
        let text = text.trim();
        match self {
            Self::Boolean => super::values::boolean(text).map(Value::Boolean),
            Self::Integer => text.parse().ok().map(Value::Integer),
            Self::Text => Some(Value::String(text.to_owned())),
            Self::List => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                Some(Value::Array(
                    items.map(|item| Value::String(item.to_owned())).collect(),
                ))
            }
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Boolean => "true or false",
            Self::Integer => "a whole number",
            Self::Text => "text (in quotes)",
            Self::List => "a list of texts",
        })
    }
}

/// Messages of the TOML reader may run over several lines; ours are one.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
