//! JSON as Python's `json.dumps(value, sort_keys=True)` writes it, byte for byte: receivers check signatures of it.

use std::fmt::Write as _;

use serde_json::Value;

/// The text.
pub(crate) fn text(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value);
    out
}

fn write(out: &mut String, value: &Value) {
    match value {
        Value::String(text) => write_text(out, text),
        Value::Array(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push_str(", ");
                }
                write(out, item);
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            out.push('{');
            for (place, (name, member)) in members.into_iter().enumerate() {
                if place > 0 {
                    out.push_str(", ");
                }
                write_text(out, name);
                out.push_str(": ");
                write(out, member);
            }
            out.push('}');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

/// Everything that is not ASCII is escaped, in UTF-16.
fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(char),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    // Writing to a String cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::text;

    #[test]
    fn it_is_what_python_writes() {
        let value = json!({
            "b": [1, 2.0, null, true], "a": {"z": "\u{e9}\u{1f600}\"\\\n\u{7f}\u{1}/", "e": []}, "": {},
        });
        assert_eq!(
            text(&value),
            "{\"\": {}, \"a\": {\"e\": [], \"z\": \"\\u00e9\\ud83d\\ude00\\\"\\\\\\n\\u007f\\u0001/\"}, \
             \"b\": [1, 2.0, null, true]}"
        );
    }
}
