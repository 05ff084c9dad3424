//! What a dashboard must know before anybody has signed in: `/config/project-overrides`, with the fields of Flagsmith's.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use burgee_app::{App, own_flags};
use serde_json::{Value, json};

use crate::instance::wants_json;

/// As a script that sets `window.projectOverrides`, or as JSON for those who ask for it.
pub(crate) async fn project_overrides(State(app): State<App>, headers: HeaderMap) -> Response {
    let overrides = overrides(&app).await;
    let common = [(header::CACHE_CONTROL, "no-cache"), (header::VARY, "Accept")];
    if wants_json(&headers) {
        return (common, Json(overrides)).into_response();
    }
    let script = format!("window.projectOverrides = {};\n", in_script(&overrides));
    (
        common,
        [(header::CONTENT_TYPE, "application/javascript; charset=utf-8")],
        script,
    )
        .into_response()
}

async fn overrides(app: &App) -> Value {
    let settings = app.settings();
    // Without the database there is no seeded environment to ask, but still all that is set.
    let flags = own_flags::source(app).await.ok();
    let cookies = settings.cookies.as_ref();
    json!({
        "api": "/api/v1/",
        "apiProxyEnabled": false,
        "flagsmith": flags.as_ref().and_then(|flags| flags.environment_key.as_deref()),
        "flagsmithClientAPI": flags.map(|flags| flags.api_url),
        "flagsmithAnalytics": true,
        "flagsmithRealtime": false,
        "preventSignup": settings.signup_prevented,
        "preventEmailPassword": settings.passwords_prevented,
        "preventForgotPassword": false,
        "superUserCreateOnly": settings.organisations_by_superusers,
        "hideInviteLinks": settings.invite_links_disabled,
        "maintenance": settings.maintenance,
        "disableAnalytics": false,
        "cookieAuthEnabled": cookies.is_some(),
        "useSecureCookies": cookies.is_none_or(|cookies| cookies.secure),
        "cookieSameSite": cookies.map(|cookies| cookies.same_site),
        "githubAppURL": settings.github_app.app_url,
        "sha": option_env!("BURGEE_COMMIT").unwrap_or("unknown"),
    })
}

/// JSON that stays one value wherever a script stands: in a page, too, where `</script>` or `<!--` would end or change it.
fn in_script(value: &Value) -> String {
    value
        .to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_in_a_script_can_not_leave_it() {
        let value = json!({ "flagsmith": "</script><script>alert('&')//\u{2028}\"" });
        let text = in_script(&value);
        assert!(!text.contains(['<', '>', '&', '\u{2028}']), "{text}");
        let back: Value = serde_json::from_str(&text).expect("the same JSON");
        assert_eq!(back, value);
    }
}
