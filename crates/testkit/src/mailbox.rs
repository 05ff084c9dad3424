//! A mail server that keeps what it is given.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use burgee_outbound::mail::{Carrier, MailSettings, Security, SmtpSettings};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

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

/// A mail server on this machine. It takes every mail, unless told to refuse some.
#[derive(Debug, Clone)]
pub struct Mailbox {
    port: u16,
    received: Arc<Mutex<Vec<Received>>>,
    refusals: Arc<AtomicU32>,
}

impl Mailbox {
    /// Starts it on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let port = listener.local_addr().expect("an address").port();
        let mailbox = Self {
            port,
            received: Arc::default(),
            refusals: Arc::default(),
        };
        let server = mailbox.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let server = server.clone();
                tokio::spawn(async move { server.talk(socket).await });
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
                credentials: None,
                security: Security::Clear,
            }),
        }
    }

    /// Refuses so many mails from now on.
    pub fn refuse(&self, count: u32) {
        self.refusals.store(count, Ordering::SeqCst);
    }

    /// What was received so far, oldest first.
    pub fn received(&self) -> Vec<Received> {
        self.received
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn talk(&self, socket: TcpStream) -> Option<()> {
        let mut socket = BufReader::new(socket);
        let mut to = String::new();
        say(&mut socket, "220 mailbox").await?;
        loop {
            let line = line(&mut socket).await?;
            let command = line.get(..4).unwrap_or(&line).to_ascii_uppercase();
            match command.as_str() {
                "EHLO" | "HELO" => say(&mut socket, "250 mailbox").await?,
                "RCPT" => {
                    let address = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'))?.0;
                    address.clone_into(&mut to);
                    let refused = self
                        .refusals
                        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
                        .is_ok();
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

async fn say(socket: &mut BufReader<TcpStream>, text: &str) -> Option<()> {
    socket.write_all(format!("{text}\r\n").as_bytes()).await.ok()
}

async fn line(socket: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    let read = socket.read_line(&mut line).await.ok()?;
    (read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
}

async fn data(socket: &mut BufReader<TcpStream>) -> Option<String> {
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
