//! The query string of reads, as the SDK writes it.

use axum::extract::{FromRequestParts, Query};
use bytes::Bytes;
use http::request::Parts;

use crate::error::Problem;

/// Parameters by name, form-decoded; of repeated ones the last counts.
#[derive(Debug, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().rev().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    fn text(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().trim().to_owned()
    }

    /// `q`: a JSON object, for the store to judge; empty means everything.
    pub(crate) fn filter(&self) -> Bytes {
        self.text("q").into()
    }

    /// `sort`. A `+` that was not encoded arrives as a space.
    pub(crate) fn sort(&self) -> String {
        self.text("sort")
    }

    pub(crate) fn cursor(&self) -> String {
        self.text("cursor")
    }

    pub(crate) fn distinct(&self) -> Option<String> {
        self.get("distinct").map(|name| name.trim().to_owned())
    }

    /// A count; what is no positive number counts as absent, as on the platform.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        let number = self.get(name)?.trim().parse().ok()?;
        (number > 0).then_some(number)
    }

    /// `fields`: names with commas between.
    pub(crate) fn fields(&self) -> Vec<String> {
        let names = self.get("fields").unwrap_or_default().split(',');
        let names = names.map(str::trim).filter(|name| !name.is_empty());
        names.map(str::to_owned).collect()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        // Form decoding takes any bytes; a query string cannot be malformed.
        let pairs = Query::try_from_uri(&parts.uri).map(|Query(pairs)| pairs);
        Ok(Self(pairs.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::Params;
    use axum::extract::Query;

    fn params(query: &str) -> Params {
        let uri = format!("http://localhost/?{query}").parse().unwrap();
        Params(Query::try_from_uri(&uri).unwrap().0)
    }

    #[test]
    fn values_are_read_as_axios_writes_them() {
        let read = params(
            "q=%7B%22a%22:%7B%22$gt%22:1%7D,%22b%22:%22x+y%22%7D&sort=%2Bf&limit=5&skip=2&fields=id,+t,",
        );
        assert_eq!(read.filter(), r#"{"a":{"$gt":1},"b":"x y"}"#);
        assert_eq!(read.sort(), "+f");
        assert_eq!(read.number("limit"), Some(5));
        assert_eq!(read.number("skip"), Some(2));
        assert_eq!(read.fields(), ["id", "t"]);
        assert_eq!(params("sort=+f").sort(), "f");
        assert_eq!(params("sort=a&sort=b").sort(), "b");
    }

    #[test]
    fn a_limit_that_is_no_positive_number_is_none() {
        for limit in ["0", "-1", "NaN", "5x", "", "1.5", "99999999999999999999"] {
            assert_eq!(
                params(&format!("limit={limit}")).number("limit"),
                None,
                "{limit}"
            );
        }
        assert_eq!(params("").number("limit"), None);
    }
}
