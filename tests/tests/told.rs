//! Every operation of the OpenAPI document has a story in which it succeeds.
//!
//! Runs after the stories, from what their last run has noted (`testkit/src/told.rs`): `cargo test -p burgee-tests`.

#![expect(clippy::print_stdout, reason = "what is not told is said")]

#[test]
fn every_operation_has_a_story_in_which_it_succeeds() {
    let told = burgee_testkit::told::last_run("stories").filter(|told| told.all);
    let Some(told) = told else {
        println!("skipped: run all the stories first, `cargo test -p burgee-tests`");
        return;
    };
    let (mut all, mut untold) = (0, Vec::new());
    for (path, methods) in burgee_api::openapi::document()["paths"]
        .as_object()
        .expect("paths")
    {
        for (method, operation) in methods.as_object().expect("operations") {
            let method = method.to_uppercase();
            let answers = operation["responses"].as_object().expect("answers");
            let mut answers = answers
                .keys()
                .filter(|status| status.starts_with(['2', '3']))
                .peekable();
            // What only refuses has no story of success.
            if answers.peek().is_none() {
                continue;
            }
            all += 1;
            if !answers.any(|status| told.calls.contains(&format!("{method} {path} {status}"))) {
                untold.push(format!("{method} {path}"));
            }
        }
    }
    assert!(all > 400, "only {all} operations were found");
    assert!(
        untold.is_empty(),
        "{} of {all} operations have no story in which they succeed:\n{}",
        untold.len(),
        untold.join("\n")
    );
}
