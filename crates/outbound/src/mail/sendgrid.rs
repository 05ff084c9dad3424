//! `SendGrid`'s HTTP API.

use serde_json::{Value, json};

use super::{Error, Message};
use crate::http::{Client, Method, Request};

pub(super) async fn send(
    http: &Client,
    url: &str,
    api_key: &str,
    sender: &str,
    message: &Message,
) -> Result<(), Error> {
    let body = json!({
        "personalizations": [{ "to": [{ "email": message.to }] }],
        "from": address(sender),
        "subject": message.subject,
        "content": [
            { "type": "text/plain", "value": message.text },
            { "type": "text/html", "value": message.html },
        ],
        "custom_args": { "message_id": message.id },
    });
    let request = Request::new(Method::POST, format!("{url}/v3/mail/send"))
        .header("authorization", format!("Bearer {api_key}"))
        .json(&body);
    match http.send(request).await {
        Ok(answer) if answer.is_success() => Ok(()),
        // Its explanations may quote the address; its status says enough.
        Ok(answer) => Err(Error::Failed(format!("SendGrid answered {}", answer.status))),
        Err(error) => Err(Error::Failed(format!("no exchange with SendGrid: {error}"))),
    }
}

/// `Name <name@example.com>` or an address alone.
fn address(sender: &str) -> Value {
    match sender.strip_suffix('>').and_then(|text| text.split_once('<')) {
        Some((name, email)) => json!({ "email": email.trim(), "name": name.trim() }),
        None => json!({ "email": sender.trim() }),
    }
}
