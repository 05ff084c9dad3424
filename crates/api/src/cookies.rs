//! The cookie a browser stays signed in with, where the operator prefers it to tokens.
//!
//! It holds a token like any other; scripts can't read it. It travels by itself, so a request that changes something and
//! rests on it must come from this installation's own pages: browsers say where from in `Sec-Fetch-Site` and `Origin`.

use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::Response;
use burgee_app::App;

const NAME: &str = "jwt";

/// The token in the cookie, where cookies are in use.
pub fn token<'a>(app: &App, headers: &'a HeaderMap) -> Option<&'a str> {
    app.settings().cookies.as_ref()?;
    value(headers, NAME)
}

/// The value of a cookie.
pub fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, value)| *found == name && !value.is_empty())
        .map(|(_, value)| value)
}

/// Whether a request may rest on the cookie: it reads only, or another site can't have made the browser send it.
pub fn is_own(app: &App, method: &Method, headers: &HeaderMap) -> bool {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return true;
    }
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = headers
        .get("sec-fetch-site")
        .and_then(|value| value.to_str().ok())
    {
        return matches!(site, "same-origin" | "none");
    }
    match text(header::ORIGIN) {
        // Every browser in use says where a form or a script of another site comes from; this is no browser.
        None => true,
        Some(origin) => {
            let host = text(header::HOST).unwrap_or_default();
            let same_host = origin.split_once("://").is_some_and(|(_, from)| from == host);
            same_host || origin == app.settings().public_url
        }
    }
}

/// Signs the browser in.
pub fn set(app: &App, response: &mut Response, token: &str) {
    if let Some(cookies) = &app.settings().cookies {
        add(
            app,
            response,
            NAME,
            token,
            "/",
            cookies.idle.as_secs(),
            cookies.same_site,
        );
    }
}

/// Signs the browser out.
pub fn clear(app: &App, response: &mut Response) {
    if let Some(cookies) = &app.settings().cookies {
        add(app, response, NAME, "", "/", 0, cookies.same_site);
    }
}

/// Adds a cookie that scripts can't read.
pub fn add(
    app: &App,
    response: &mut Response,
    name: &str,
    value: &str,
    path: &str,
    seconds: u64,
    same_site: &str,
) {
    let settings = app.settings();
    let secure = settings.cookies.as_ref().map_or_else(
        || settings.public_url.starts_with("https:"),
        |cookies| cookies.secure,
    );
    let secure = if secure { "; Secure" } else { "" };
    let text =
        format!("{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite={same_site}{secure}");
    if let Ok(text) = HeaderValue::try_from(text) {
        response.headers_mut().append(header::SET_COOKIE, text);
    }
}
