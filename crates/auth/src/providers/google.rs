//! Google: an access token that the browser got tells who it is.

use burgee_outbound::http::{Client, Request};

use super::{Profile, ProviderError, id_text, json};

/// The application registered there.
#[derive(Debug, Clone)]
pub struct GoogleSettings {
    pub client_id: String,
    /// Where its API is, without a trailing slash.
    pub api_url: String,
}

/// Who got this access token.
///
/// Only tokens that were made for this application count: whoever runs another one could otherwise sign in here as
/// anybody who signed in there.
pub async fn profile(
    http: &Client,
    settings: &GoogleSettings,
    token: &str,
) -> Result<Profile, ProviderError> {
    let query: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("access_token", token)
        .finish();
    let about = Request::get_json(format!("{}/oauth2/v1/tokeninfo?{query}", settings.api_url));
    let about = json(http.send(about).await, "the token's purpose")?;
    if about["audience"] != settings.client_id.as_str() {
        return Err(ProviderError::new("the token was made for another application"));
    }
    let user = Request::get_json(format!("{}/oauth2/v1/userinfo?alt=json", settings.api_url))
        .header("authorization", format!("Bearer {token}"));
    let user = json(http.send(user).await, "the user's profile")?;
    let text = |name: &str| user[name].as_str().unwrap_or_default().to_owned();
    let email = text("email").to_lowercase();
    if email.is_empty() {
        return Err(ProviderError::new("the profile has no address"));
    }
    Ok(Profile {
        subject: id_text(&user["id"]).ok_or_else(|| ProviderError::new("the profile has no id"))?,
        email,
        email_verified: user["verified_email"] == true,
        first_name: text("given_name"),
        last_name: text("family_name"),
    })
}
