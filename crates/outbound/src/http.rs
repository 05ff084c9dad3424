//! An HTTP client with bounds: no redirects, a time limit for the whole exchange, answers of bounded size, no proxy of the
//! environment, and where the address was given by a user, no way into private networks.
//!
//! Addresses are checked as they are connected to, after the name was resolved: a name that is public when it is checked
//! and private when it is called gains nothing.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use url::{Host, Url};

use crate::addresses::is_public;

pub use bytes::Bytes;
pub use reqwest::Method;

/// The most bytes of an answer that are read, unless a request says otherwise.
pub const ANSWER_BYTES: usize = 1024 * 1024;
/// How long a whole exchange may take, unless a request says otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the address of a name is waited for when nothing is called yet.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// Which addresses a client connects to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Any, those of the own network included.
    Everywhere,
    /// Only those that anybody on the internet could reach.
    PublicOnly,
}

/// Why there is no answer. The texts name no part of the URL but its host: paths and queries may hold secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The URL, a header or the body can't be sent at all; trying again will not help.
    #[error("{0}")]
    Unusable(String),
    /// The address is none that may be reached.
    #[error("{0} is not reached from here: its address is private")]
    Private(String),
    /// It took too long.
    #[error("no answer in time")]
    TimedOut,
    /// The connection failed or broke off.
    #[error("{0}")]
    Failed(String),
    /// The answer is larger than asked for.
    #[error("the answer is too large")]
    TooLarge,
}

/// A request to send.
#[derive(Debug, Clone)]
pub struct Request {
    method: Method,
    url: String,
    headers: Vec<(String, String)>,
    body: Bytes,
    timeout: Duration,
    answer_bytes: usize,
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            headers: Vec::new(),
            body: Bytes::new(),
            timeout: TIMEOUT,
            answer_bytes: ANSWER_BYTES,
        }
    }

    /// A GET that asks for JSON.
    pub fn get_json(url: impl Into<String>) -> Self {
        Self::new(Method::GET, url).header("accept", "application/json")
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sends this body; its kind is for a header to say.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends JSON.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json")
            .body(body.to_string())
    }

    /// Sends a form.
    #[must_use]
    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let text = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.header("content-type", "application/x-www-form-urlencoded")
            .body(text)
    }

    /// Allows the whole exchange this much time.
    #[must_use]
    pub fn within(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Reads at most so many bytes of the answer.
    #[must_use]
    pub fn at_most(mut self, answer_bytes: usize) -> Self {
        self.answer_bytes = answer_bytes;
        self
    }
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// Whether the status is one of success.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header, as far as it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON, where it is that.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// Sends requests. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    reach: Reach,
    /// Made at the first request: it reads the system's certificates, and its absence is that request's error.
    inner: Arc<OnceLock<Result<reqwest::Client, String>>>,
}

impl Client {
    /// A client that reaches so far.
    pub fn new(reach: Reach) -> Self {
        Self {
            reach,
            inner: Arc::default(),
        }
    }

    /// Sends a request and reads the answer. A redirect is an answer like any other and is not followed.
    pub async fn send(&self, request: Request) -> Result<Answer, Error> {
        let url = self.check_url(&request.url)?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let exchange = self.exchange(
            url,
            request.headers,
            request.method,
            request.body,
            request.answer_bytes,
        );
        match tokio::time::timeout(request.timeout, exchange).await {
            Err(_) => Err(Error::TimedOut),
            Ok(Err(Error::Private(_))) => Err(Error::Private(host)),
            Ok(outcome) => outcome,
        }
    }

    /// Whether a URL can be called, as far as that can be told without asking for its name's address.
    pub fn check_url(&self, url: &str) -> Result<Url, Error> {
        let unusable = |text: &str| Error::Unusable(text.to_owned());
        let url = Url::parse(url).map_err(|_| unusable("this is no URL"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(unusable("only http and https are called"));
        }
        let literal = match url.host() {
            None => return Err(unusable("the URL names no host")),
            Some(Host::Ipv4(v4)) => Some(IpAddr::from(v4)),
            Some(Host::Ipv6(v6)) => Some(IpAddr::from(v6)),
            Some(Host::Domain(_)) => None,
        };
        // An address in place of a name is never resolved, so it is checked here.
        match literal {
            Some(address) if self.reach == Reach::PublicOnly && !is_public(address) => {
                Err(Error::Private(address.to_string()))
            }
            _ => Ok(url),
        }
    }

    /// Whether a URL can be called as far as can be told now, its name's address included. It may lead elsewhere by the
    /// time it is called; then it is checked again.
    pub async fn check_reach(&self, url: &str) -> Result<(), Error> {
        let url = self.check_url(url)?;
        let Some(Host::Domain(name)) = url.host() else {
            return Ok(());
        };
        if self.reach == Reach::Everywhere {
            return Ok(());
        }
        let found = tokio::time::timeout(CHECK_TIMEOUT, tokio::net::lookup_host((name, 0))).await;
        match found {
            Ok(Ok(mut addresses)) => {
                if addresses.any(|address| !is_public(address.ip())) {
                    return Err(Error::Private(name.to_owned()));
                }
                Ok(())
            }
            Ok(Err(error)) => Err(Error::Failed(error.to_string())),
            Err(_) => Err(Error::TimedOut),
        }
    }

    async fn exchange(
        &self,
        url: Url,
        headers: Vec<(String, String)>,
        method: Method,
        body: Bytes,
        answer_bytes: usize,
    ) -> Result<Answer, Error> {
        let request = self
            .client()?
            .request(method, url)
            .headers(header_map(headers)?)
            .body(body);
        let mut response = request.send().await.map_err(|error| explain(&error))?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| explain(&error))? {
            if body.len() + chunk.len() > answer_bytes {
                return Err(Error::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: body.into(),
        })
    }

    fn client(&self) -> Result<&reqwest::Client, Error> {
        let made = self
            .inner
            .get_or_init(|| build(self.reach).map_err(|error| error.to_string()));
        made.as_ref().map_err(|error| {
            Error::Unusable(format!(
                "no HTTPS: {error} (are the system's certificates installed?)"
            ))
        })
    }
}

fn build(reach: Reach) -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .user_agent(concat!("burgee/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .dns_resolver(Resolver(reach))
        .build()
}

fn header_map(headers: Vec<(String, String)>) -> Result<HeaderMap, Error> {
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let unusable = || Error::Unusable(format!("the header {name:?} can't be sent"));
        let parsed = HeaderName::try_from(name.as_str()).map_err(|_| unusable())?;
        map.append(parsed, HeaderValue::try_from(value).map_err(|_| unusable())?);
    }
    Ok(map)
}

/// What went wrong, without the URL.
fn explain(error: &reqwest::Error) -> Error {
    if error.is_timeout() {
        return Error::TimedOut;
    }
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    let mut deepest = String::new();
    while let Some(error) = cause {
        if error.is::<PrivateAddress>() {
            return Error::Private(String::new());
        }
        deepest = error.to_string();
        cause = error.source();
    }
    let kind = if error.is_connect() {
        "no connection"
    } else {
        "the exchange broke off"
    };
    Error::Failed(format!("{kind}: {deepest}"))
}

/// Every address of a name is one that may not be reached.
#[derive(Debug, thiserror::Error)]
#[error("private address")]
struct PrivateAddress;

/// Resolves names as the system does and keeps what may be reached.
struct Resolver(Reach);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let any = !found.is_empty();
            let usable: Vec<SocketAddr> = found
                .into_iter()
                .filter(|address| reach == Reach::Everywhere || is_public(address.ip()))
                .collect();
            if any && usable.is_empty() {
                return Err(PrivateAddress.into());
            }
            Ok(Box::new(usable.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// A server that answers each connection with one text.
    async fn server(answer: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let port = listener.local_addr().expect("an address").port();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut buffer = [0; 4096];
                let _ = socket.read(&mut buffer).await;
                let _ = socket.write_all(answer.as_bytes()).await;
                if answer.is_empty() {
                    // Says nothing, and keeps the connection.
                    tokio::time::sleep(Duration::from_secs(5)).await;
                }
            }
        });
        format!("http://localhost:{port}/secret-path")
    }

    fn everywhere() -> Client {
        Client::new(Reach::Everywhere)
    }

    #[tokio::test]
    async fn a_name_that_leads_to_a_private_address_is_not_called() {
        let url = server("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").await;
        let answer = everywhere()
            .send(Request::get_json(&url))
            .await
            .expect("an answer");
        assert_eq!((answer.status, &answer.body[..]), (200, &b"hi"[..]));
        let refused = Client::new(Reach::PublicOnly).send(Request::get_json(&url)).await;
        assert_eq!(
            refused.expect_err("a refusal"),
            Error::Private("localhost".to_owned())
        );
    }

    #[tokio::test]
    async fn addresses_in_place_of_names_are_checked_however_they_are_spelled() {
        let client = Client::new(Reach::PublicOnly);
        for url in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://[::1]/",
            "http://[::ffff:10.0.0.1]/",
            "http://169.254.169.254/latest/meta-data/",
            "http://user:pass@192.168.0.1/",
        ] {
            let refused = client.send(Request::get_json(url)).await;
            assert!(matches!(refused, Err(Error::Private(_))), "{url}: {refused:?}");
        }
    }

    #[tokio::test]
    async fn only_the_web_is_called() {
        for url in [
            "file:///etc/passwd",
            "ftp://example.com/",
            "gopher://x/",
            "no url",
            "http://",
        ] {
            let refused = everywhere().send(Request::get_json(url)).await;
            assert!(matches!(refused, Err(Error::Unusable(_))), "{url}");
        }
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_not_followed() {
        let url =
            server("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n").await;
        let answer = everywhere()
            .send(Request::get_json(&url))
            .await
            .expect("an answer");
        assert_eq!(answer.status, 302);
        assert_eq!(answer.header("location"), Some("http://127.0.0.1:1/"));
    }

    #[tokio::test]
    async fn an_answer_that_is_too_large_is_not_kept() {
        let url = server("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n0123456789").await;
        let refused = everywhere().send(Request::get_json(&url).at_most(9)).await;
        assert_eq!(refused.expect_err("a refusal"), Error::TooLarge);
        everywhere()
            .send(Request::get_json(&url).at_most(10))
            .await
            .expect("an answer");
    }

    #[tokio::test]
    async fn silence_ends_at_the_time_limit() {
        let url = server("").await;
        let request = Request::get_json(&url).within(Duration::from_millis(200));
        assert_eq!(
            everywhere().send(request).await.expect_err("no answer"),
            Error::TimedOut
        );
    }

    #[tokio::test]
    async fn what_went_wrong_is_told_without_the_path() {
        let refused = everywhere()
            .send(Request::get_json("http://127.0.0.1:9/secret-path?token=x"))
            .await;
        let text = refused.expect_err("nobody listens").to_string();
        assert!(!text.contains("secret") && !text.contains("token"), "{text}");
    }

    #[tokio::test]
    async fn a_header_with_a_line_break_is_refused() {
        let request = Request::get_json("http://127.0.0.1:9/").header("x-name", "a\r\nb: c");
        assert!(matches!(
            everywhere().send(request).await,
            Err(Error::Unusable(_))
        ));
    }
}
