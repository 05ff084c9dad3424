//! GitHub: a code becomes a token, the token tells who it is.

use burgee_outbound::http::{Client, Method, Request};
use serde_json::Value;

use super::{Profile, ProviderError, id_text, json, split_name};

/// The application registered there.
#[derive(Clone)]
pub struct GithubSettings {
    pub client_id: String,
    pub client_secret: String,
    /// Where people sign in, without a trailing slash.
    pub site_url: String,
    /// Where its API is, without a trailing slash.
    pub api_url: String,
}

impl std::fmt::Debug for GithubSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GithubSettings")
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// Who got this code.
pub async fn profile(http: &Client, settings: &GithubSettings, code: &str) -> Result<Profile, ProviderError> {
    let request = Request::new(
        Method::POST,
        format!("{}/login/oauth/access_token", settings.site_url),
    )
    .header("accept", "application/json")
    .form(&[
        ("client_id", &settings.client_id),
        ("client_secret", &settings.client_secret),
        ("code", code),
    ]);
    let answer = json(http.send(request).await, "the exchange of the code")?;
    // A refused code is answered with 200, too.
    let token = answer["access_token"]
        .as_str()
        .ok_or_else(|| ProviderError::new("the code was not accepted"))?;
    let get = |path: &str| {
        let request = Request::get_json(format!("{}{path}", settings.api_url))
            .header("authorization", format!("Bearer {token}"));
        http.send(request)
    };
    let user = json(get("/user").await, "the user's profile")?;
    let emails = json(get("/user/emails").await, "the user's addresses")?;
    let email = primary_address(&emails).ok_or_else(|| ProviderError::new("there is no verified address"))?;
    let (first_name, last_name) = split_name(
        user["name"]
            .as_str()
            .or(user["login"].as_str())
            .unwrap_or_default(),
    );
    Ok(Profile {
        subject: id_text(&user["id"]).ok_or_else(|| ProviderError::new("the profile has no id"))?,
        email,
        email_verified: true,
        first_name,
        last_name,
    })
}

/// The verified primary address.
fn primary_address(emails: &Value) -> Option<String> {
    let primary = |entry: &&Value| entry["primary"] == true && entry["verified"] == true;
    let found = emails.as_array()?.iter().find(primary)?;
    Some(found["email"].as_str()?.to_lowercase())
}
