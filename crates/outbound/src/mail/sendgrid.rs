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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::http::Reach;

    /// Takes one request, answers it with a status, and returns it.
    async fn exchange(status: &'static str) -> (String, Result<(), Error>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let server = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.expect("a connection");
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            while !request.ends_with(b"}") {
                let read = socket.read(&mut buffer).await.expect("a request");
                request.extend_from_slice(&buffer[..read]);
            }
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            socket.write_all(answer.as_bytes()).await.expect("sent");
            String::from_utf8(request).expect("text")
        });
        let message = Message {
            id: "m-1".to_owned(),
            to: "ada@example.com".to_owned(),
            subject: "Hello".to_owned(),
            text: "plain".to_owned(),
            html: "<p>rich</p>".to_owned(),
        };
        let client = Client::new(Reach::Everywhere);
        let outcome = send(&client, &url, "SG.key", "Burgee <burgee@example.com>", &message).await;
        (server.await.expect("the server"), outcome)
    }

    #[tokio::test]
    async fn a_mail_is_handed_over_with_the_key_and_both_forms() {
        let (request, outcome) = exchange("202 Accepted").await;
        assert_eq!(outcome, Ok(()));
        let (head, body) = request.split_once("\r\n\r\n").expect("a body");
        assert!(head.starts_with("POST /v3/mail/send "), "{head}");
        assert!(head.contains("authorization: Bearer SG.key"), "{head}");
        let body: Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(body["personalizations"][0]["to"][0]["email"], "ada@example.com");
        assert_eq!(
            body["from"],
            json!({ "email": "burgee@example.com", "name": "Burgee" })
        );
        assert_eq!(body["content"][0]["value"], "plain");
        assert_eq!(body["content"][1]["value"], "<p>rich</p>");
    }

    #[tokio::test]
    async fn a_refusal_tells_its_status_and_no_address() {
        let (_, outcome) = exchange("401 Unauthorized").await;
        assert_eq!(outcome, Err(Error::Failed("SendGrid answered 401".to_owned())));
    }
}
