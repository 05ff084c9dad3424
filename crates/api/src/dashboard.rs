//! The web app: its files, and the page that starts it at every path that is its own.

use std::borrow::Cow;
use std::fmt::Write as _;

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use burgee_app::App;
use url::Url;
use uuid::Uuid;

/// Whether the app was built with this program (or, for a debug build, is there to be read).
pub fn is_built() -> bool {
    burgee_dashboard::index().is_some()
}

/// Paths that are never pages, so that a slip in one of theirs is told as such.
const NOT_PAGES: [&str; 8] = [
    "/api/", "/o/", "/ofrep/", "/sse/", "/health", "/version", "/metrics", "/config/",
];

/// What the app has at a path: a file, or its page for a browser that wants one. `None`: nothing of the app's.
pub fn at(app: &App, method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<Response> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return None;
    }
    let path = uri.path();
    if let Some(file) = file(path.trim_start_matches('/'), headers) {
        return Some(file);
    }
    let accepts = text(headers, header::ACCEPT);
    let is_page = accepts.contains("text/html") && !NOT_PAGES.iter().any(|prefix| path.starts_with(prefix));
    if is_page { page(app) } else { None }
}

/// The page that starts the app, where there is one.
pub fn page(app: &App) -> Option<Response> {
    let template = burgee_dashboard::index()?;
    let nonce = Uuid::new_v4().simple().to_string();
    let page = String::from_utf8_lossy(&template).replace("__NONCE__", &nonce);
    let headers = [
        (
            header::CONTENT_SECURITY_POLICY,
            policy(&nonce, flags_origin(app).as_deref()),
        ),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
        (header::VARY, "Accept".to_owned()),
    ];
    Some((headers, Html(page)).into_response())
}

/// Where the app asks for its own flags, when that is another server.
fn flags_origin(app: &App) -> Option<String> {
    let url = app.settings().own_flags.api_url.as_deref()?;
    Some(Url::parse(url).ok()?.origin().ascii_serialization())
}

/// Scripts and pictures of this server alone, requests of it and of the server that has the app's own flags, framed by
/// nobody. Styles that components add at run time carry the nonce of the page.
fn policy(nonce: &str, flags_origin: Option<&str>) -> String {
    let flags = flags_origin
        .map(|origin| format!(" {origin}"))
        .unwrap_or_default();
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'{flags}; manifest-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    )
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> &str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// Whether `Accept-Encoding` names an encoding and does not refuse it.
fn accepts(header: &str, encoding: &str) -> bool {
    header.split(',').any(|item| {
        let (name, weight) = item.split_once(';').unwrap_or((item, ""));
        let weight = weight.trim().strip_prefix("q=").map(str::parse::<f64>);
        name.trim().eq_ignore_ascii_case(encoding) && !matches!(weight, Some(Ok(0.0)))
    })
}

fn file(path: &str, headers: &HeaderMap) -> Option<Response> {
    let encodings = text(headers, header::ACCEPT_ENCODING);
    let file = burgee_dashboard::file(path, |encoding| accepts(encodings, encoding))?;
    // Names of built files carry the hash of their content, so they never change.
    let cache = if path.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let tag = tag(&file.digest);
    let is_known = text(headers, header::IF_NONE_MATCH)
        .split(',')
        .any(|known| known.trim() == tag);
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let content = match file.content {
            Cow::Borrowed(content) => content.into_response(),
            Cow::Owned(content) => content.into_response(),
        };
        ([(header::CONTENT_TYPE, kind(path))], content).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(header::ETAG, tag);
    }
    if let Some(encoding) = file.encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    Some(response)
}

fn tag(digest: &[u8; 32]) -> String {
    let mut tag = String::from("\"");
    for byte in &digest[..16] {
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

/// The kinds of files the build writes.
fn kind(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, end)| end) {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("png") => "image/png",
        Some("json" | "webmanifest") => "application/json",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoding_counts_when_it_is_named_and_not_refused() {
        assert!(accepts("gzip, deflate, br", "br"));
        assert!(accepts("gzip;q=0.5", "gzip"));
        assert!(!accepts("gzip;q=0, br", "gzip"));
        assert!(!accepts("", "gzip"));
    }

    #[test]
    fn the_policy_lets_no_inline_script_run() {
        let policy = policy("n", Some("https://flags.example.com"));
        assert!(policy.contains("script-src 'self';"));
        assert!(policy.contains("connect-src 'self' https://flags.example.com;"));
        assert!(!policy.contains("unsafe"));
    }
}
