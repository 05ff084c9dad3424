//! A mail server.

use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use super::{Error, Message, Security, SmtpSettings, TIMEOUT};

/// Connects, hands the mail over and disconnects: mail is rare, and a connection kept open is one that breaks.
pub(super) async fn send(server: &SmtpSettings, sender: &str, message: &Message) -> Result<(), Error> {
    let mail = compose(sender, message)?;
    let transport = transport(server)?;
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

fn transport(server: &SmtpSettings) -> Result<AsyncSmtpTransport<Tokio1Executor>, Error> {
    let parameters =
        || TlsParameters::new(server.host.clone()).map_err(|error| Error::Failed(format!("no TLS: {error}")));
    let tls = match server.security {
        Security::Clear => Tls::None,
        Security::StartTls => Tls::Required(parameters()?),
        Security::Tls => Tls::Wrapper(parameters()?),
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host)
        .port(server.port)
        .timeout(Some(TIMEOUT))
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
