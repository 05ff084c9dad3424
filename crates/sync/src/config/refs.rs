//! `${env:NAME}` and `${file:/path}`: where a value really is.

use crate::error::{Result, SyncError};

/// A text with its references replaced by what they hold.
pub(super) fn resolve(setting: &str, text: &str) -> Result<String> {
    let mut resolved = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        resolved.push_str(before);
        let (reference, behind) = after
            .split_once('}')
            .ok_or_else(|| SyncError::config(setting, "a `${` is not closed"))?;
        resolved.push_str(&look_up(setting, reference)?);
        rest = behind;
    }
    resolved.push_str(rest);
    Ok(resolved)
}

fn look_up(setting: &str, reference: &str) -> Result<String> {
    match reference.split_once(':') {
        Some(("env", name)) => std::env::var(name).map_err(|_| {
            SyncError::config(
                setting,
                format!("the variable {name} of ${{env:{name}}} is not set"),
            )
        }),
        Some(("file", path)) => {
            let text = std::fs::read_to_string(path);
            let text =
                text.map_err(|error| SyncError::config(setting, format!("${{file:{path}}}: {error}")))?;
            Ok(text.trim_end_matches(['\r', '\n']).to_owned())
        }
        _ => Err(SyncError::config(
            setting,
            format!("${{{reference}}} is neither ${{env:NAME}} nor ${{file:/path}}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_replaced_and_what_is_missing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "s3cret\n").unwrap();
        let text = format!("a ${{file:{}}} b", path.display());
        assert_eq!(resolve("token", &text).unwrap(), "a s3cret b");
        assert_eq!(resolve("token", "plain $5").unwrap(), "plain $5");
        for (text, told) in [
            ("${env:BURGEE_NOT_SET_X}", "BURGEE_NOT_SET_X"),
            ("${env:X", "not closed"),
            ("${vault:x}", "neither"),
        ] {
            let error = resolve("token", text).unwrap_err().to_string();
            assert!(error.starts_with("token: ") && error.contains(told), "{error}");
        }
    }
}
