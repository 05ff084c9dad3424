//! Builds the web app where it is embedded: for release builds, unless `BURGEE_DASHBOARD` says otherwise.
//!
//! * `build` (what release builds do): `npm ci` and `npm run build` in `dashboard/`.
//! * `prebuilt`: embeds the `dashboard/dist` that is there.
//! * `off`: embeds nothing; the server says so on its first page.
//!
//! A debug build never needs Node.js: it reads `dashboard/dist` when it runs, if that is there.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

/// What the built app is made of.
const SOURCES: [&str; 10] = [
    "index.html",
    "package-lock.json",
    "package.json",
    "postcss.config.cjs",
    "public",
    "scripts",
    "src",
    "tsconfig.json",
    "tsr.config.json",
    "vite.config.ts",
];

/// Written by the build itself, so no reason for another one.
const GENERATED: [&str; 2] = ["schema.d.ts", "routeTree.gen.ts"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=BURGEE_DASHBOARD");
    let root = Path::new("../../dashboard");
    // What is not there when this is compiled would not be looked for when it runs.
    if let Err(error) = fs::create_dir_all(root.join("dist")) {
        println!("cargo::warning=dashboard/dist can't be made: {error}");
    }
    let is_release = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let wish = env::var("BURGEE_DASHBOARD").unwrap_or_default();
    match (wish.as_str(), is_release) {
        ("off", _) | ("", false) => {}
        ("prebuilt", _) => println!("cargo::rerun-if-changed={}", root.join("dist").display()),
        ("" | "build", _) => build(root),
        (other, _) => panic!("BURGEE_DASHBOARD is {other:?}; it can be build, prebuilt or off"),
    }
}

fn build(root: &Path) {
    for source in SOURCES {
        watch(&root.join(source));
    }
    println!("cargo::rerun-if-changed=../../docs/openapi.json");
    if Command::new("npm").arg("--version").output().is_err() {
        println!(
            "cargo::warning=There is no npm: Burgee is built without its dashboard. Install Node.js 20 for it."
        );
        return;
    }
    npm(root, &["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
    npm(root, &["run", "build", "--silent"]);
}

/// Watches files one by one: a directory as a whole would also change by what is generated in it.
fn watch(path: &Path) {
    let Ok(entries) = path.read_dir() else {
        println!("cargo::rerun-if-changed={}", path.display());
        return;
    };
    for entry in entries.flatten() {
        if !GENERATED.iter().any(|name| entry.file_name() == *name) {
            watch(&entry.path());
        }
    }
}

fn npm(root: &Path, arguments: &[&str]) {
    let output = Command::new("npm").args(arguments).current_dir(root).output();
    let output = output.expect("npm was there a moment ago");
    assert!(
        output.status.success(),
        "npm {} failed in dashboard/ (BURGEE_DASHBOARD=off builds without the dashboard):\n{}\n{}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
}
