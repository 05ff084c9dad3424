//! A mail server.

use std::time::Duration;

use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use super::{Error, Message, Security, SmtpSettings};

/// Connects, hands the mail over and disconnects: mail is rare, and a connection kept open is one that breaks.
pub(super) async fn send(
    server: &SmtpSettings,
    sender: &str,
    message: &Message,
    timeout: Duration,
) -> Result<(), Error> {
    let mail = compose(sender, message)?;
    let transport = transport(server, timeout)?;
    match transport.send(mail).await {
        Ok(_) => Ok(()),
        // A server's refusal may quote the address; its code says enough.
        Err(error) => Err(Error::Failed(match error.status() {
            Some(code) => format!("the mail server answered {code}"),
            None if error.is_tls() => "no TLS with the mail server".to_owned(),
            None => format!("no exchange with the mail server: {error}"),
        })),
    }
}

/// Whom to trust, and what the server must be called.
fn tls_parameters(server: &SmtpSettings) -> Result<TlsParameters, Error> {
    let failed = |error| Error::Failed(format!("no TLS: {error}"));
    let mut builder = TlsParameters::builder(server.host.clone());
    if !server.authorities.is_empty() {
        let authorities = Certificate::from_pem(server.authorities.as_bytes()).map_err(failed)?;
        builder = builder.add_root_certificate(authorities);
    }
    builder.build().map_err(failed)
}

fn transport(server: &SmtpSettings, timeout: Duration) -> Result<AsyncSmtpTransport<Tokio1Executor>, Error> {
    let tls = match server.security {
        Security::Clear => Tls::None,
        Security::StartTls => Tls::Required(tls_parameters(server)?),
        Security::Tls => Tls::Wrapper(tls_parameters(server)?),
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host)
        .port(server.port)
        .timeout(Some(timeout))
        .tls(tls);
    if let Some((user, password)) = &server.credentials {
        builder = builder.credentials(Credentials::new(user.clone(), password.clone()));
    }
    Ok(builder.build())
}

fn compose(sender: &str, message: &Message) -> Result<lettre::Message, Error> {
    let mailbox = |text: &str, what: &str| {
        text.parse::<Mailbox>()
            .map_err(|_| Error::Unusable(format!("{what} is no e-mail address")))
    };
    let from = mailbox(sender, "the sender")?;
    let domain = from.email.domain().to_owned();
    lettre::Message::builder()
        .from(from)
        .to(mailbox(&message.to, "the recipient")?)
        .subject(&message.subject)
        .message_id(Some(format!("<{}@{domain}>", message.id)))
        .multipart(MultiPart::alternative_plain_html(
            message.text.clone(),
            message.html.clone(),
        ))
        .map_err(|error| Error::Unusable(format!("the mail can't be written: {error}")))
}
