//! `burgee evaluate`: flags for evaluation contexts, without a server.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use burgee_engine::context::{Context, EvaluationResult};
use burgee_engine::trace::Explanation;
use serde::Serialize;
use serde::de::IgnoredAny;

/// Evaluate contexts as the SDKs do and write a result per line
///
/// Reads one evaluation context, or one per line. A context that makes no sense gives a line with an `error`; the
/// rest is still evaluated, and the exit status is 1.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A file of contexts; `-` or nothing for standard input
    #[arg(default_value = "-")]
    file: PathBuf,

    /// Add a `trace` of how each result came about
    #[arg(long)]
    explain: bool,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Args { file, explain } = args;
    let output = BufWriter::new(io::stdout().lock());
    let outcome = if file == Path::new("-") {
        evaluate_all(io::stdin().lock(), output, explain)
    } else {
        let file = File::open(&file).with_context(|| format!("cannot open {}", file.display()))?;
        evaluate_all(BufReader::new(file), output, explain)
    };
    match outcome {
        Ok(0) => Ok(ExitCode::SUCCESS),
        Ok(_) => Ok(ExitCode::FAILURE),
        // Whoever read the results has had enough of them.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error).context("cannot read the contexts or write the results"),
    }
}

/// A line of output for a context that makes sense.
#[derive(Serialize)]
struct ResultLine<'a> {
    #[serde(flatten)]
    result: EvaluationResult<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<Explanation>,
}

/// A line of output for one that does not.
#[derive(Serialize)]
struct ErrorLine {
    error: String,
}

/// Evaluates every context of the input; gives the number of those that failed.
fn evaluate_all(mut input: impl BufRead, mut output: impl Write, explain: bool) -> io::Result<usize> {
    let mut line = Vec::new();
    let (mut failures, mut is_first) = (0, true);
    while input.read_until(b'\n', &mut line)? > 0 {
        if line.trim_ascii().is_empty() {
            line.clear();
            continue;
        }
        // One context may be spread over the whole input, as people write JSON by hand.
        if is_first && is_unfinished(&line) {
            input.read_to_end(&mut line)?;
            if serde_json::from_slice::<IgnoredAny>(&line).is_err() {
                failures += evaluate_lines(&line, &mut output, explain)?;
                break;
            }
        }
        is_first = false;
        failures += usize::from(!evaluate_one(&line, &mut output, explain)?);
        line.clear();
    }
    output.flush()?;
    Ok(failures)
}

fn evaluate_lines(text: &[u8], mut output: impl Write, explain: bool) -> io::Result<usize> {
    let mut failures = 0;
    for line in text
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.trim_ascii().is_empty())
    {
        failures += usize::from(!evaluate_one(line, &mut output, explain)?);
    }
    Ok(failures)
}

fn is_unfinished(json: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(json).is_err_and(|error| error.is_eof())
}

/// Writes the line for one context; false if the context makes no sense.
fn evaluate_one(json: &[u8], mut output: impl Write, explain: bool) -> io::Result<bool> {
    let parsed = match str::from_utf8(json) {
        Ok(json) => Context::from_json(json).map_err(|error| error.to_string()),
        Err(error) => Err(format!(".: {error}")),
    };
    let makes_sense = parsed.is_ok();
    match parsed {
        Ok(context) => {
            let trace = explain.then(|| context.explain());
            serde_json::to_writer(
                &mut output,
                &ResultLine {
                    result: context.evaluate(),
                    trace,
                },
            )?;
        }
        Err(error) => serde_json::to_writer(&mut output, &ErrorLine { error })?,
    }
    output.write_all(b"\n")?;
    Ok(makes_sense)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn evaluate(input: &str, explain: bool) -> (usize, Vec<Value>) {
        let mut output = Vec::new();
        let failures = evaluate_all(input.as_bytes(), &mut output, explain).unwrap();
        let output = String::from_utf8(output).unwrap();
        (
            failures,
            output
                .lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect(),
        )
    }

    fn context(feature: &str) -> Value {
        json!({
            "environment": {"key": "k", "name": "n"},
            "features": {feature: {"key": "1", "name": feature, "enabled": true, "value": 5}},
        })
    }

    #[test]
    fn every_line_gets_a_result_and_a_bad_one_does_not_stop_the_rest() {
        let input = format!(
            "{}\n\n{{\"environment\": {{}}}}\nnonsense\n{}",
            context("a"),
            context("b")
        );
        let (failures, lines) = evaluate(&input, false);
        assert_eq!(failures, 2);
        assert_eq!(lines.len(), 4);
        assert_eq!(
            lines[0],
            json!({"flags": {"a": {
            "name": "a", "enabled": true, "value": 5, "reason": "DEFAULT", "variant": null,
        }}, "segments": []})
        );
        assert!(
            lines[1]["error"]
                .as_str()
                .unwrap()
                .starts_with("environment: missing field `key`"),
            "{}",
            lines[1]
        );
        assert!(lines[2]["error"].is_string());
        assert_eq!(lines[3]["flags"]["b"]["value"], 5);
    }

    #[test]
    fn one_context_may_span_lines() {
        let (failures, lines) = evaluate(&format!("{:#}\n", context("a")), false);
        assert_eq!((failures, lines.len()), (0, 1));
        assert_eq!(lines[0]["flags"]["a"]["reason"], "DEFAULT");
    }

    #[test]
    fn an_unfinished_first_line_fails_alone() {
        let (failures, lines) = evaluate(&format!("{{\"environment\":\n{}\n", context("a")), false);
        assert_eq!((failures, lines.len()), (1, 2));
        assert_eq!(lines[1]["flags"]["a"]["value"], 5);
    }

    #[test]
    fn a_trace_comes_on_demand() {
        let (_, lines) = evaluate(&context("a").to_string(), true);
        assert_eq!(lines[0]["trace"]["flags"][0]["candidates"][0]["won"], true);
    }
}
