//! Lists that page by an opaque cursor: the query, and its checks.

use std::str::FromStr;

use proto::{Code, Cursor, Error, Result, limits};
use serde::Deserialize;
use utoipa::IntoParams;

/// Where a page begins and how long it is.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// `next` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// 1–200, 50 if left out.
    #[serde(default)]
    pub limit: Option<i64>,
}

impl PageQuery {
    /// How many rows the page has at most.
    pub fn size(&self) -> Result<i64> {
        match self.limit {
            None => Ok(50),
            Some(n) if n < 1 => Err(Error::field(Code::InvalidField, "limit")),
            Some(n) => Ok(n.min(limits::PAGE as i64)),
        }
    }

    /// The place after `(at, id)` of a list that is newest first; without a
    /// cursor its beginning.
    pub fn before(&self) -> Result<(i64, uuid::Uuid)> {
        let Some(text) = &self.cursor else { return Ok((i64::MAX, uuid::Uuid::max())) };
        let [at, id]: [String; 2] =
            Cursor::decode(text).and_then(|c| c.0.try_into().ok()).ok_or(Code::InvalidCursor)?;
        Ok((part(&at)?, part(&id)?))
    }
}

fn part<T: FromStr>(text: &str) -> Result<T> {
    text.parse().map_err(|_| Code::InvalidCursor.into())
}

/// The cursor after `(at, id)`, where the page was full.
pub fn next<T>(items: &[T], size: i64, place: impl Fn(&T) -> (i64, uuid::Uuid)) -> Option<String> {
    let (at, id) = items.last().filter(|_| items.len() as i64 >= size).map(place)?;
    Some(Cursor(vec![at.to_string(), id.to_string()]).encode())
}
