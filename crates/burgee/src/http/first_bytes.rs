//! A connection that must say within a time which HTTP it speaks.
//!
//! The head of a request has a time limit of its own, but that one starts only once the version is known; without this
//! limit, connections on which nothing is ever sent would be held for ever.

use std::{
    future::Future as _,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// How every HTTP/2 connection begins. HTTP/1 differs from it after a letter or two.
const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A stream whose reads fail when the version is still open after the time allowed.
pub(super) struct FirstBytes<S> {
    stream: S,
    /// How much of [`HTTP2`] has been seen.
    seen: usize,
    /// `None` once the version is known.
    limit: Option<Pin<Box<Sleep>>>,
}

impl<S> FirstBytes<S> {
    /// Starts the clock. Must be called within the runtime.
    pub(super) fn new(stream: S, within: Duration) -> Self {
        let limit = Some(Box::pin(sleep(within)));
        Self {
            stream,
            seen: 0,
            limit,
        }
    }

    /// Whether the version is known with these bytes; an end of the stream settles it too.
    fn settles(&mut self, bytes: &[u8]) -> bool {
        let expected = &HTTP2[self.seen..];
        self.seen += bytes.len().min(expected.len());
        bytes.is_empty() || self.seen == HTTP2.len() || !expected.starts_with(bytes)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for FirstBytes<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(limit) = &mut self.limit else {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        };
        if limit.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if self.settles(&buffer.filled()[before..]) {
            self.limit = None;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for FirstBytes<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }
}
