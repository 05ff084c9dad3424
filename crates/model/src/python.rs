//! Values as Python writes them: what the Flagsmith API makes of a list or an object where it expects text.

use std::fmt::Write as _;

use serde_json::Value;

/// Python's `str(value)`: text as it is, everything else as [`repr`].
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => repr(other),
    }
}

/// Python's `repr(value)`: `None`, `True`, `['x', 1]`, `{'a': 1.5}`.
pub fn repr(value: &Value) -> String {
    let mut out = String::new();
    write_repr(value, &mut out);
    out
}

fn write_repr(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(float) => out.push_str(&float_repr(float)),
            None => out.push_str(&number.to_string()),
        },
        Value::String(text) => string_repr(text, out),
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                write_repr(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (i, (name, member)) in members.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                string_repr(name, out);
                out.push_str(": ");
                write_repr(member, out);
            }
            out.push('}');
        }
    }
}

/// The shortest digits that read back the same, with an exponent from 1e16 upwards and below 1e-4.
fn float_repr(float: f64) -> String {
    let scientific = format!("{float:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = float.to_string();
        return if plain.contains('.') { plain } else { plain + ".0" };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

fn string_repr(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push(quote);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_look_as_python_prints_them() {
        assert_eq!(
            repr(&json!(["x", "y's", 1, 1.5, null, true])),
            "['x', \"y's\", 1, 1.5, None, True]"
        );
        assert_eq!(repr(&json!({"a": [1], "b": {}})), "{'a': [1], 'b': {}}");
        assert_eq!(text(&json!("plain")), "plain");
        assert_eq!(text(&json!(5)), "5");
        assert_eq!(repr(&json!(1.0)), "1.0");
        assert_eq!(repr(&json!(1e16)), "1e+16");
        assert_eq!(repr(&json!(0.00001)), "1e-05");
        assert_eq!(repr(&json!("a\n'\"\u{7f}")), "'a\\n\\'\"\\x7f'");
    }
}
