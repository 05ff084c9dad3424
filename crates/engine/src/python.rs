//! The conversions of Python that the reference implementation leaks into its answers.

use std::fmt::Write as _;

use serde_json::Value;

/// `str()` of a float: the shortest digits that read back the same, with an exponent outside 1e-4 … 1e16.
pub(crate) fn float_text(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{number:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        // `Debug` writes the shortest digits too, but goes scientific at other limits.
        let plain = format!("{number}");
        return if plain.contains('.') { plain } else { plain + ".0" };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

/// `str()` of a JSON value as Python's `json` reads it.
pub(crate) fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => {
            let mut text = String::new();
            write_repr(other, &mut text);
            text
        }
    }
}

/// `repr()`. Recursion is bounded by the depth limit of the JSON parser.
fn write_repr(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => out.push_str(&float_text(float)),
            _ => {
                let _ = write!(out, "{number}");
            }
        },
        Value::String(text) => write_string_repr(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write_repr(item, out);
            }
            out.push(']');
        }
        Value::Object(entries) => {
            out.push('{');
            for (index, (key, item)) in entries.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write_string_repr(key, out);
                out.push_str(": ");
                write_repr(item, out);
            }
            out.push('}');
        }
    }
}

fn write_string_repr(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    out.push(quote);
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if (c as u32) < 0x20 || (0x7f..0xa1).contains(&(c as u32)) || c == '\u{ad}' => {
                let _ = write!(out, "\\x{:02x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push(quote);
}

/// What `str.strip()` removes: Unicode white space and the four separators Rust leaves out.
fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}

/// Removes underscores that stand between two digits; `None` if one stands elsewhere.
fn without_underscores(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let lone = bytes.iter().enumerate().any(|(at, byte)| {
        *byte == b'_'
            && !(at > 0
                && bytes[at - 1].is_ascii_digit()
                && bytes.get(at + 1).is_some_and(u8::is_ascii_digit))
    });
    (!lone).then(|| text.replace('_', ""))
}

/// `int()` of a text, as a sign and its digits without leading zeros (`0` for zero).
pub(crate) fn parse_int(text: &str) -> Option<(bool, String)> {
    let text = ascii_digits(text.trim_matches(is_space));
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text.as_str()),
    };
    let digits = without_underscores(digits)?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return Some((false, "0".to_owned()));
    }
    Some((negative, significant.to_owned()))
}

/// `float()` of a text. Rust reads the same grammar save for blanks and underscores.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    let text = ascii_digits(text.trim_matches(is_space));
    without_underscores(&text)?.parse().ok()
}

/// Python reads the decimal digits of every script; the blocks hold their ten digits in order.
fn ascii_digits(text: &str) -> String {
    text.chars().map(ascii_digit).collect()
}

fn ascii_digit(character: char) -> char {
    /// The zero of each block of decimal digits in the basic plane.
    const ZEROS: [u32; 37] = [
        0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66,
        0x0de6, 0x0e50, 0x0ed0, 0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90,
        0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10,
        0x104a0,
    ];
    let code = character as u32;
    if code < 0x80 {
        return character;
    }
    ZEROS
        .iter()
        .find(|zero| (**zero..**zero + 10).contains(&code))
        .and_then(|zero| char::from_digit(code - zero, 10))
        .unwrap_or(character)
}

/// Python's `%` on floats: the result has the sign of the divisor. The divisor is not zero.
pub(crate) fn modulo(dividend: f64, divisor: f64) -> f64 {
    let remainder = dividend % divisor;
    if remainder != 0.0 && (remainder < 0.0) != (divisor < 0.0) {
        return remainder + divisor;
    }
    remainder
}

/// Whether Python takes the value as true.
pub(crate) fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(b) => *b,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(entries) => !entries.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_read_as_python_writes_them() {
        for (number, text) in [
            (1.0, "1.0"),
            (0.1, "0.1"),
            (1e16, "1e+16"),
            (1e15, "1000000000000000.0"),
            (1.5e-7, "1.5e-07"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (-0.0, "-0.0"),
            (1e300, "1e+300"),
            (123_456_789_012_345_680.0, "1.2345678901234568e+17"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(float_text(number), text);
        }
    }

    #[test]
    fn composites_read_as_python_writes_them() {
        let value = serde_json::json!({"a": [1.0, null, true, "x'y", "\n\u{1}"]});
        assert_eq!(value_text(&value), r#"{'a': [1.0, None, True, "x'y", '\n\x01']}"#);
    }

    #[test]
    fn integers_parse_as_in_python() {
        assert_eq!(parse_int(" +1_000 "), Some((false, "1000".to_owned())));
        assert_eq!(parse_int("-007"), Some((true, "7".to_owned())));
        assert_eq!(parse_int("-0"), Some((false, "0".to_owned())));
        assert_eq!(parse_int("٥"), Some((false, "5".to_owned())));
        for text in ["", " ", "+", "1__0", "_1", "1_", "1.0", "0x1", "- 1"] {
            assert_eq!(parse_int(text), None, "{text:?}");
        }
    }

    #[test]
    fn floats_parse_as_in_python() {
        assert_eq!(parse_float(" 1_0.5\n"), Some(10.5));
        assert_eq!(parse_float("1e3"), Some(1000.0));
        assert_eq!(parse_float("-Infinity"), Some(f64::NEG_INFINITY));
        assert!(parse_float("nan").is_some_and(f64::is_nan));
        for text in ["", ".", "1._5", "1e", "0x10", "one"] {
            assert_eq!(parse_float(text), None, "{text:?}");
        }
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "these results are exact")]
    fn modulo_takes_the_sign_of_the_divisor() {
        assert_eq!(modulo(-1.0, 3.0), 2.0);
        assert_eq!(modulo(1.0, -3.0), -2.0);
        assert_eq!(modulo(-1.0, f64::INFINITY), f64::INFINITY);
    }
}
