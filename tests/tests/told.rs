//! Every operation of the OpenAPI document has a story in which it succeeds.
//!
//! Runs after the stories, from what their last run has noted (`testkit/src/told.rs`): `cargo test -p burgee-tests`.

#![expect(clippy::print_stdout, reason = "what is skipped is said")]

use std::collections::BTreeSet;

use serde_json::Value;

/// Operations that no story can see succeed, and why.
const CAN_NOT_BE_TOLD: &[(&str, &str)] = &[
    ("delete_flag_override", "not told yet"),
    ("log_in_with_github", "not told yet"),
    ("log_in_with_google", "not told yet"),
    ("update_me", "not told yet"),
    ("get_document", "not told yet"),
    ("get_identity_override", "not told yet"),
    ("patch_identity_override", "not told yet"),
    ("environment_list_group_permissions", "not told yet"),
    ("environment_create_group_permission", "not told yet"),
    ("environment_get_group_permission", "not told yet"),
    ("environment_update_group_permission", "not told yet"),
    ("environment_delete_group_permission", "not told yet"),
    ("environment_patch_group_permission", "not told yet"),
    ("environment_get_user_permission", "not told yet"),
    ("environment_update_user_permission", "not told yet"),
    ("environment_patch_user_permission", "not told yet"),
    ("get_link_by_uuid", "not told yet"),
    ("get_link", "not told yet"),
    ("update_link", "not told yet"),
    ("patch_link", "not told yet"),
    ("get_state_by_uuid", "not told yet"),
    ("patch_shared_state", "not told yet"),
    ("get_feature_by_uuid", "not told yet"),
    ("get_multivariate_options", "not told yet"),
    ("set_trait_by_path", "not told yet"),
    ("update_metadata_field", "not told yet"),
    ("update_organisation", "not told yet"),
    ("get_subscription_metadata", "not told yet"),
    ("get_group", "not told yet"),
    ("update_group", "not told yet"),
    ("list_invite_links", "not told yet"),
    ("get_invite", "not told yet"),
    ("get_master_api_key", "not told yet"),
    ("update_master_api_key", "not told yet"),
    ("update_metadata_model_field", "not told yet"),
    ("update_role", "not told yet"),
    ("get_role_environment_permission", "not told yet"),
    ("update_role_environment_permission", "not told yet"),
    ("delete_role_group", "not told yet"),
    ("patch_role_group", "not told yet"),
    ("delete_role_master_api_key", "not told yet"),
    ("patch_role_master_api_key", "not told yet"),
    ("list_role_organisation_permissions", "not told yet"),
    ("get_role_organisation_permission", "not told yet"),
    ("update_role_organisation_permission", "not told yet"),
    ("delete_role_organisation_permission", "not told yet"),
    ("get_role_project_permission", "not told yet"),
    ("update_role_project_permission", "not told yet"),
    ("delete_role_project_permission", "not told yet"),
    ("patch_role_user", "not told yet"),
    ("list_usage_data", "not told yet"),
    ("count_usage", "not told yet"),
    ("get_usage", "not told yet"),
    ("organisation_list_group_permissions", "not told yet"),
    ("organisation_create_group_permission", "not told yet"),
    ("organisation_get_group_permission", "not told yet"),
    ("organisation_update_group_permission", "not told yet"),
    ("organisation_delete_group_permission", "not told yet"),
    ("organisation_patch_group_permission", "not told yet"),
    ("organisation_list_user_permissions", "not told yet"),
    ("organisation_get_user_permission", "not told yet"),
    ("organisation_update_user_permission", "not told yet"),
    ("organisation_delete_user_permission", "not told yet"),
    ("organisation_patch_user_permission", "not told yet"),
    ("get_project_by_uuid", "not told yet"),
    ("update_project", "not told yet"),
    ("delete_project", "not told yet"),
    ("get_all_user_permissions", "not told yet"),
    ("list_exports", "not told yet"),
    ("list_imports", "not told yet"),
    ("add_group_owners", "not told yet"),
    ("get_evaluation_data", "not told yet"),
    ("get_influx_data", "not told yet"),
    ("list_options", "not told yet"),
    ("get_option", "not told yet"),
    ("patch_option", "not told yet"),
    ("remove_group_owners", "not told yet"),
    ("get_metadata_field_of_project", "not told yet"),
    ("get_tag", "not told yet"),
    ("update_tag", "not told yet"),
    ("project_get_group_permission", "not told yet"),
    ("project_update_group_permission", "not told yet"),
    ("project_delete_group_permission", "not told yet"),
    ("project_patch_group_permission", "not told yet"),
    ("project_list_user_permissions", "not told yet"),
    ("project_get_user_permission", "not told yet"),
    ("project_update_user_permission", "not told yet"),
    ("set_traits", "not told yet"),
    ("health", "not told yet"),
    ("stream_ofrep", "not told yet"),
];

#[test]
fn every_operation_has_a_story_in_which_it_succeeds() {
    let told = burgee_testkit::told::last_run("stories").filter(|told| told.all);
    let Some(told) = told else {
        assert!(
            std::env::var_os("CI").is_none(),
            "the stories must run first, all of them"
        );
        println!("skipped: run all the stories first, `cargo test -p burgee-tests`");
        return;
    };
    let excused: BTreeSet<&str> = CAN_NOT_BE_TOLD.iter().map(|(id, _)| *id).collect();
    let mut untold = Vec::new();
    for (path, methods) in burgee_api::openapi::document()["paths"]
        .as_object()
        .expect("paths")
    {
        for (method, operation) in methods.as_object().expect("operations") {
            let id = operation["operationId"].as_str().expect("an id");
            let statuses: Vec<&String> = operation["responses"]
                .as_object()
                .expect("answers")
                .keys()
                .collect();
            let method = method.to_uppercase();
            let is_told = |status: &&String| told.calls.contains(&format!("{method} {path} {status}"));
            let succeeds = |status: &&String| status.starts_with('2');
            let may_succeed = statuses.iter().any(|status| succeeds(&status));
            let done = statuses
                .iter()
                .any(|status| is_told(&status) && (succeeds(&status) || !may_succeed));
            match (done, excused.contains(id)) {
                (false, false) => untold.push(format!("{method} {path} ({id})")),
                (true, true) => panic!("{id} has a story now: take it off the list"),
                _ => {}
            }
        }
    }
    assert!(
        untold.is_empty(),
        "{} operations without a story:\n{}",
        untold.len(),
        untold.join("\n")
    );
}

/// Refusals and other answers that are declared and that no story has seen, for whoever looks for stories to tell.
#[test]
fn declared_answers_that_no_story_has_seen_are_listed() {
    let Some(told) = burgee_testkit::told::last_run("stories").filter(|told| told.all) else {
        return;
    };
    let document = burgee_api::openapi::document();
    let operations = document["paths"]
        .as_object()
        .expect("paths")
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().into_iter().flatten();
            methods.map(move |(method, operation)| (method.to_uppercase(), path, operation))
        });
    let mut unseen = std::collections::BTreeMap::<String, usize>::new();
    let mut declared = 0;
    for (method, path, operation) in operations {
        for status in operation["responses"]
            .as_object()
            .map(|map| map.keys())
            .into_iter()
            .flatten()
        {
            declared += 1;
            if !told.calls.contains(&format!("{method} {path} {status}")) {
                *unseen.entry(status.clone()).or_default() += 1;
            }
        }
    }
    println!(
        "of {declared} declared answers, not seen in any story: {}",
        Value::from_iter(unseen)
    );
    assert!(declared > 0);
}
