//! The published evaluation cases: every file's context must give the file's result.

use std::path::PathBuf;

use burgee_engine::context::Context;
use serde_json::Value;

/// Where the cases are: `BURGEE_ENGINE_TEST_DATA`, or beside the workspace.
fn folder() -> PathBuf {
    std::env::var_os("BURGEE_ENGINE_TEST_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/engine-test-data"),
        PathBuf::from,
    )
}

/// JSON with comments and trailing commas, as plain JSON.
fn plain_json(text: &str) -> String {
    let mut plain = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' => {
                plain.push('"');
                while let Some(inner) = characters.next() {
                    plain.push(inner);
                    match inner {
                        '\\' => plain.extend(characters.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            '/' if characters.peek() == Some(&'/') => while characters.next().is_some_and(|c| c != '\n') {},
            '/' if characters.peek() == Some(&'*') => {
                let mut last = ' ';
                while characters
                    .next()
                    .is_some_and(|c| !(std::mem::replace(&mut last, c) == '*' && c == '/'))
                {}
            }
            '}' | ']' => {
                let kept = plain.trim_end();
                plain.truncate(kept.strip_suffix(',').unwrap_or(kept).len());
                plain.push(character);
            }
            _ => plain.push(character),
        }
    }
    plain
}

/// Equality by meaning: the order of segments counts, that of keys does not.
fn difference(file: &str, actual: &Value, expected: &Value) -> Option<String> {
    (actual != expected).then(|| format!("{file}:\n   actual {actual}\n expected {expected}"))
}

#[test]
fn the_published_cases_give_the_published_results() {
    let Ok(entries) = std::fs::read_dir(folder()) else {
        eprintln!(
            "SKIPPED: no evaluation cases at {} (set BURGEE_ENGINE_TEST_DATA)",
            folder().display()
        );
        return;
    };
    let (mut cases, mut differences) = (0, Vec::new());
    for path in entries.map(|entry| entry.unwrap().path()) {
        if !path
            .extension()
            .is_some_and(|extension| extension == "json" || extension == "jsonc")
        {
            continue;
        }
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = plain_json(&std::fs::read_to_string(&path).unwrap());
        let mut case: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        let context =
            Context::from_value(case["context"].take()).unwrap_or_else(|error| panic!("{file}: {error}"));
        let result = serde_json::to_value(context.evaluate()).unwrap();
        cases += 1;
        differences.extend(difference(&file, &result, &case["result"]));

        // The explanation and the evaluation of single flags must tell the same story.
        let explanation = context.explain();
        for flag in &explanation.flags {
            assert_eq!(flag.reason, result["flags"][&flag.name]["reason"], "{file}");
            assert_eq!(flag.value, result["flags"][&flag.name]["value"], "{file}");
        }
        context.with_identity(|identity| {
            let all = context.environment().evaluate(identity);
            for index in 0..all.len() {
                let one = context.environment().evaluate_feature(index, identity).unwrap();
                assert_eq!(one.reason(), all.get(index).unwrap().reason(), "{file}");
                assert_eq!(one.value(), all.get(index).unwrap().value(), "{file}");
            }
        });
    }
    assert!(
        differences.is_empty(),
        "{} of {cases} differ:\n{}",
        differences.len(),
        differences.join("\n")
    );
    eprintln!("{cases} published cases agree");
}
