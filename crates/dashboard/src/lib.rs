//! The built web app, embedded: its files by path, compressed as the build wrote them.
//!
//! A debug build reads `dashboard/dist` each time, so that a new build of the app shows without one of the server.

use std::borrow::Cow;

use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../dashboard/dist"]
#[allow_missing = true]
struct Dist;

/// A file, as it is sent.
#[derive(Debug)]
pub struct File {
    pub content: Cow<'static, [u8]>,
    /// The name of its compression in `Content-Encoding`.
    pub encoding: Option<&'static str>,
    /// What tells this content from every other.
    pub digest: [u8; 32],
}

/// The compressions the build writes, best first, with the end of their files' names.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// The page that starts the app, where the app was built.
pub fn index() -> Option<Cow<'static, [u8]>> {
    Dist::get("index.html").map(|file| file.data)
}

/// A file of the app, in the best encoding that `accepts` says yes to.
pub fn file(path: &str, accepts: impl Fn(&str) -> bool) -> Option<File> {
    let is_variant = ENCODINGS.iter().any(|(_, end)| path.ends_with(end));
    if is_variant || path == "index.html" {
        return None;
    }
    let mut candidates = ENCODINGS
        .iter()
        .filter(|(name, _)| accepts(name))
        .map(|(name, end)| (Some(*name), format!("{path}{end}")))
        .chain([(None, path.to_owned())]);
    candidates.find_map(|(encoding, path)| {
        let file = Dist::get(&path)?;
        Some(File {
            digest: file.metadata.sha256_hash(),
            content: file.data,
            encoding,
        })
    })
}
