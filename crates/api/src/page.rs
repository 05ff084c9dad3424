//! Pages of lists: `{"count", "next", "previous", "results"}` with absolute links.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use burgee_model::limits;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::{ApiError, ApiResult};
use crate::params::Query;
use burgee_app::Error;

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// Rows of the whole list.
    pub count: i64,
    /// Where the next page is.
    pub next: Option<String>,
    /// Where the previous page is.
    pub previous: Option<String>,
    pub results: Vec<T>,
}

impl<T> Page<T> {
    /// The same page with other rows.
    pub fn map<U>(self, view: impl FnMut(T) -> U) -> Page<U> {
        Page {
            count: self.count,
            next: self.next,
            previous: self.previous,
            results: self.results.into_iter().map(view).collect(),
        }
    }
}

/// Which page is asked for: `page` (from 1) and `page_size` (1 to 999, 999 unless given).
#[derive(Debug)]
pub struct Paging {
    page: Option<i64>,
    size: i64,
    base: String,
    query: Vec<(String, String)>,
}

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let query = Query::from_request_parts(parts, state).await?;
        let size = query
            .number("page_size")
            .filter(|n| *n > 0)
            .unwrap_or(limits::PAGE_SIZE)
            .min(limits::PAGE_SIZE);
        let page = match query.text("page") {
            None => Some(1),
            Some(text) => text.parse().ok().filter(|n| *n > 0),
        };
        let raw = parts.uri.query().unwrap_or_default();
        Ok(Self {
            page,
            size,
            base: absolute(parts),
            query: serde_urlencoded::from_str(raw).unwrap_or_default(),
        })
    }
}

/// The address the client used, without its query.
fn absolute(parts: &Parts) -> String {
    format!("{}{}", origin(parts), parts.uri.path())
}

/// Scheme and host of the address the client used.
pub(crate) fn origin(parts: &Parts) -> String {
    let header = |name: &str| parts.headers.get(name).and_then(|v| v.to_str().ok());
    let scheme = header("x-forwarded-proto").unwrap_or("http");
    let host = header(header::HOST.as_str())
        .or_else(|| parts.uri.authority().map(axum::http::uri::Authority::as_str))
        .unwrap_or("localhost");
    format!("{scheme}://{host}")
}

impl Paging {
    /// Rows to pass over. Fails with 404 when `page` is no page number.
    pub fn offset(&self) -> ApiResult<i64> {
        let page = self.page.ok_or_else(invalid_page)?;
        Ok((page - 1).saturating_mul(self.size))
    }

    /// The same, with smaller pages where larger ones were asked for.
    #[must_use]
    pub fn at_most(mut self, rows: i64) -> Self {
        self.size = self.size.min(rows);
        self
    }

    /// The most rows this page may hold.
    pub fn limit(&self) -> i64 {
        self.size
    }

    /// This page, cut out of a whole list that is at hand.
    pub fn cut<T>(&self, rows: Vec<T>) -> ApiResult<Page<T>> {
        let (count, offset) = (rows.len() as i64, self.offset()?);
        let results = rows
            .into_iter()
            .skip(usize::try_from(offset).unwrap_or(usize::MAX))
            .take(self.size as usize);
        self.page(count, results.collect())
    }

    /// This page, whose rows (and the count of all) came from the database.
    pub fn page<T>(&self, count: i64, results: Vec<T>) -> ApiResult<Page<T>> {
        let page = self.page.ok_or_else(invalid_page)?;
        if page > 1 && (page - 1).saturating_mul(self.size) >= count {
            return Err(invalid_page());
        }
        let next = (page.saturating_mul(self.size) < count).then(|| self.link(page + 1));
        let previous = (page > 1).then(|| self.link(page - 1));
        Ok(Page {
            count,
            next,
            previous,
            results,
        })
    }

    /// As the reference does: parameters by name, and the first page without `page`.
    fn link(&self, page: i64) -> String {
        let mut query: Vec<_> = self
            .query
            .iter()
            .filter(|(name, _)| name != "page")
            .cloned()
            .collect();
        if page > 1 {
            query.push(("page".to_owned(), page.to_string()));
        }
        query.sort();
        let query = serde_urlencoded::to_string(query).unwrap_or_default();
        if query.is_empty() {
            self.base.clone()
        } else {
            format!("{}?{query}", self.base)
        }
    }
}

fn invalid_page() -> ApiError {
    ApiError(Error::NotFound("Invalid page.".to_owned()))
}
