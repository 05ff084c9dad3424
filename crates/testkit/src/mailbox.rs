//! A mail server that keeps what it is given.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use burgee_outbound::mail::{Carrier, MailSettings, Security, SmtpSettings};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// A mail as it was received.
#[derive(Debug, Clone)]
pub struct Received {
    pub to: String,
    /// The headers and bodies, decoded as far as a reader needs.
    pub text: String,
}

impl Received {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.text
            .lines()
            .take_while(|line| !line.is_empty())
            .find_map(|line| {
                let (found, value) = line.split_once(": ")?;
                found.eq_ignore_ascii_case(name).then_some(value)
            })
    }

    /// The first address in the mail whose path starts so.
    #[track_caller]
    pub fn link(&self, path: &str) -> String {
        let words = self
            .text
            .split(|c: char| c.is_whitespace() || c == '"' || c == '<');
        words
            .filter(|word| word.starts_with("http"))
            .find(|word| word.contains(path))
            .unwrap_or_else(|| panic!("no link with {path} in {}", self.text))
            .to_owned()
    }
}

/// What a mail server asks for.
#[derive(Debug, Clone)]
pub struct Demands {
    pub security: Security,
    /// User and password.
    pub credentials: Option<(String, String)>,
}

/// What goes wrong with the mails to come, each time once.
#[derive(Debug, Default)]
struct Troubles {
    /// Mails that are refused.
    refusals: AtomicU32,
    /// Mails that are taken without a word, because the connection breaks.
    breaks: AtomicU32,
    /// Connections that are accepted and never greeted.
    silences: AtomicU32,
}

fn happens(trouble: &AtomicU32) -> bool {
    trouble
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
        .is_ok()
}

/// A mail server on this machine. It takes every mail, unless told to refuse some.
#[derive(Debug, Clone)]
pub struct Mailbox {
    port: u16,
    demands: Arc<Demands>,
    tls: Option<Arc<ServerConfig>>,
    /// Its certificate (PEM), which nobody signed but itself.
    certificate: String,
    received: Arc<Mutex<Vec<Received>>>,
    troubles: Arc<Troubles>,
}

/// A certificate of its own for a mail server, and what it serves TLS with.
fn own_certificate() -> (String, Arc<ServerConfig>) {
    let key = rcgen::KeyPair::generate().expect("a key");
    let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])
        .and_then(|params| params.self_signed(&key))
        .expect("a certificate");
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("protocol versions")
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .expect("a certificate with its key");
    (certificate.pem(), Arc::new(config))
}

impl Mailbox {
    /// Starts it on a free port: it asks for nothing.
    pub async fn start() -> Self {
        let demands = Demands {
            security: Security::Clear,
            credentials: None,
        };
        Self::demanding(demands).await
    }

    /// Starts one that takes mail only as demanded.
    pub async fn demanding(demands: Demands) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let port = listener.local_addr().expect("an address").port();
        let (certificate, tls) = match demands.security {
            Security::Clear => (String::new(), None),
            Security::Tls | Security::StartTls => {
                let (certificate, tls) = own_certificate();
                (certificate, Some(tls))
            }
        };
        let mailbox = Self {
            port,
            demands: Arc::new(demands),
            tls,
            certificate,
            received: Arc::default(),
            troubles: Arc::default(),
        };
        let server = mailbox.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let server = server.clone();
                tokio::spawn(async move { server.serve(Box::new(socket)).await });
            }
        });
        mailbox
    }

    /// Settings that send mail here.
    pub fn settings(&self) -> MailSettings {
        MailSettings {
            sender: "Burgee <burgee@example.com>".to_owned(),
            carrier: Carrier::Smtp(SmtpSettings {
                host: "127.0.0.1".to_owned(),
                port: self.port,
                credentials: self.demands.credentials.clone(),
                security: self.demands.security,
                authorities: self.certificate.clone(),
            }),
            timeout: Duration::from_secs(10),
        }
    }

    /// Refuses so many mails from now on.
    pub fn refuse(&self, count: u32) {
        self.troubles.refusals.store(count, Ordering::SeqCst);
    }

    /// Takes so many mails, and breaks the connection before it says so.
    pub fn break_off(&self, count: u32) {
        self.troubles.breaks.store(count, Ordering::SeqCst);
    }

    /// Says nothing on so many connections.
    pub fn say_nothing(&self, count: u32) {
        self.troubles.silences.store(count, Ordering::SeqCst);
    }

    /// What was received so far, oldest first.
    pub fn received(&self) -> Vec<Received> {
        self.received
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn serve(&self, socket: Socket) -> Option<()> {
        if happens(&self.troubles.silences) {
            tokio::time::sleep(Duration::from_mins(1)).await;
            return None;
        }
        match &self.tls {
            Some(tls) if self.demands.security == Security::Tls => {
                let socket = TlsAcceptor::from(tls.clone()).accept(socket).await.ok()?;
                self.talk(Box::new(socket), true).await
            }
            _ => self.talk(socket, false).await,
        }
    }

    /// What it says to EHLO: what it can and, where it demands it, what is left to do.
    fn greeting(&self, is_encrypted: bool) -> String {
        let mut lines = vec!["mailbox"];
        if self.demands.security == Security::StartTls && !is_encrypted {
            lines.push("STARTTLS");
        } else if self.demands.credentials.is_some() {
            lines.push("AUTH PLAIN");
        }
        let last = lines.len() - 1;
        let said = (0..).zip(lines);
        let said = said.map(|(number, line)| format!("250{}{line}", if number == last { ' ' } else { '-' }));
        said.collect::<Vec<_>>().join("\r\n")
    }

    /// Whether these are the credentials, as `AUTH PLAIN` gives them.
    fn lets_in(&self, encoded: &str) -> bool {
        let given = STANDARD.decode(encoded.trim()).unwrap_or_default();
        let wanted = self.demands.credentials.as_ref();
        wanted.is_some_and(|(user, password)| given == format!("\0{user}\0{password}").into_bytes())
    }

    async fn talk(&self, socket: Socket, mut is_encrypted: bool) -> Option<()> {
        let mut socket = BufReader::new(socket);
        let mut to = String::new();
        let mut is_known = self.demands.credentials.is_none();
        say(&mut socket, "220 mailbox").await?;
        loop {
            let line = line(&mut socket).await?;
            let command = line.split(' ').next().unwrap_or(&line).to_ascii_uppercase();
            match command.as_str() {
                "EHLO" | "HELO" => say(&mut socket, &self.greeting(is_encrypted)).await?,
                "STARTTLS" => {
                    let Some(tls) = self.tls.clone().filter(|_| !is_encrypted) else {
                        say(&mut socket, "503 not now").await?;
                        continue;
                    };
                    say(&mut socket, "220 go ahead").await?;
                    let encrypted = TlsAcceptor::from(tls).accept(socket.into_inner()).await.ok()?;
                    socket = BufReader::new(Box::new(encrypted) as Socket);
                    is_encrypted = true;
                }
                "AUTH" => {
                    is_known = line
                        .split(' ')
                        .nth(2)
                        .is_some_and(|encoded| self.lets_in(encoded));
                    let answer = if is_known {
                        "235 welcome"
                    } else {
                        "535 who are you"
                    };
                    say(&mut socket, answer).await?;
                }
                "MAIL" if self.demands.security != Security::Clear && !is_encrypted => {
                    say(&mut socket, "530 encrypt first").await?;
                }
                "MAIL" if !is_known => say(&mut socket, "530 say who you are first").await?,
                "RCPT" => {
                    let address = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'))?.0;
                    address.clone_into(&mut to);
                    let refused = happens(&self.troubles.refusals);
                    say(&mut socket, if refused { "451 try again" } else { "250 ok" }).await?;
                }
                "DATA" => {
                    say(&mut socket, "354 go on").await?;
                    let text = data(&mut socket).await?;
                    let mail = Received {
                        to: to.clone(),
                        text: decode(&text),
                    };
                    self.received
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(mail);
                    if happens(&self.troubles.breaks) {
                        return None;
                    }
                    say(&mut socket, "250 ok").await?;
                }
                "QUIT" => {
                    say(&mut socket, "221 bye").await?;
                    return None;
                }
                _ => say(&mut socket, "250 ok").await?,
            }
        }
    }
}

/// A connection, encrypted or not.
trait Connection: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Connection for T {}

type Socket = Box<dyn Connection>;

async fn say(socket: &mut BufReader<Socket>, text: &str) -> Option<()> {
    socket.write_all(format!("{text}\r\n").as_bytes()).await.ok()?;
    socket.flush().await.ok()
}

async fn line(socket: &mut BufReader<Socket>) -> Option<String> {
    let mut line = String::new();
    let read = socket.read_line(&mut line).await.ok()?;
    (read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
}

async fn data(socket: &mut BufReader<Socket>) -> Option<String> {
    let mut text = String::new();
    loop {
        let line = line(socket).await?;
        if line == "." {
            return Some(text);
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
        text.push('\n');
    }
}

/// Undoes `quoted-printable`, where a line of the mail says that it is used.
fn decode(text: &str) -> String {
    if !text.to_ascii_lowercase().contains("quoted-printable") {
        return text.to_owned();
    }
    let joined = text.replace("=\n", "");
    let mut pieces = joined.split('=');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let digits = piece.get(..2);
        if let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(byte);
            bytes.extend_from_slice(&piece.as_bytes()[2..]);
        } else {
            bytes.push(b'=');
            bytes.extend_from_slice(piece.as_bytes());
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
