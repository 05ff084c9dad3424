//! Files in the bodies of requests, taken a piece at a time whatever their size.

use std::fs::File;
use std::io::{Seek, Write};

use axum::body::Body;
use burgee_app::Error;
use futures_util::StreamExt;

/// The body of a request as a file that has no name.
pub(crate) async fn received(body: Body, most: u64) -> Result<File, Error> {
    let broken = |error: std::io::Error| Error::Internal(error.to_string());
    let mut file = tempfile::tempfile().map_err(broken)?;
    let mut pieces = body.into_data_stream();
    let mut length = 0;
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| Error::detail("The file broke off on its way here."))?;
        length += piece.len() as u64;
        if length > most {
            return Err(Error::detail("The file is too large."));
        }
        file.write_all(&piece).map_err(broken)?;
    }
    file.rewind().map_err(broken)?;
    Ok(file)
}
