//! Keyset walks: a page, and a cursor that says where the next one begins. Deletions between pages move nothing, and in
//! the order of creation the hundredth page costs what the first does.

use std::collections::HashMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Selection;
use crate::core::{
    fault::Fault, filter::Filter, path::FieldPath, project::Projection, record::to_json,
    sort::Sort, value, view::View,
};

/// Items of a page when the caller does not say.
const DEFAULT: usize = 100;

/// Records of a page, and of a list, at most.
pub const MAX_PAGE_RECORDS: usize = 5_000;

/// Distinct values of a page at most.
const MAX_PAGE_VALUES: usize = 1_000;

/// Bytes of a page at most: it travels in one message, of which it is half at most. A longer item is a page of its own.
const MAX_PAGE_BYTES: usize = 32 * 1024 * 1024;

/// One page.
#[derive(Debug)]
pub struct Page {
    /// Records or values as JSON.
    pub items: Vec<Bytes>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<String>,
}

/// What a walk goes through. A cursor is this and a place in it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PageSpec {
    /// The entity, as the client wrote it.
    #[serde(rename = "e")]
    pub entity: String,
    /// The query; null for all records.
    #[serde(rename = "q")]
    pub query: Value,
    /// The sort order; empty for the default.
    pub sort: String,
    /// The fields to return; all when empty.
    pub fields: Vec<String>,
    /// The field whose distinct values are walked instead of records.
    pub distinct: Option<String>,
    /// Where the page before ended.
    pub after: Option<Place>,
}

/// A place in a walk.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Place {
    at: Value,
    #[serde(default)]
    seq: u64,
}

impl PageSpec {
    /// What a request asks for: its own words, or those of its cursor. The same words may stand beside a cursor.
    ///
    /// # Errors
    ///
    /// For a cursor that is malformed or belongs to another walk.
    pub fn resume(self, cursor: &str) -> Result<Self, Fault> {
        if cursor.is_empty() {
            return Ok(self);
        }
        let json = URL_SAFE_NO_PAD.decode(cursor).ok();
        let walk = json.and_then(|json| serde_json::from_slice::<Self>(&json).ok());
        let walk = walk.filter(|walk| walk.after.is_some());
        let walk = walk.ok_or_else(|| Fault::bad_request("Invalid cursor"))?;
        match self.is_part_of(&walk) {
            true => Ok(walk),
            false => Err(Fault::bad_request("Cursor does not match the query")),
        }
    }

    /// Whether a request asks for the walk of its cursor; what it leaves open is the cursor's to say.
    fn is_part_of(&self, walk: &Self) -> bool {
        let same_query = self.query.is_null()
            || is_all(&self.query) && is_all(&walk.query)
            || value::equals(&self.query, &walk.query);
        same_query
            && walk.entity.eq_ignore_ascii_case(&self.entity)
            && (self.sort.is_empty() || without_plus(&self.sort) == without_plus(&walk.sort))
            && (self.fields.is_empty() || self.fields == walk.fields)
            && (self.distinct.is_none() || self.distinct == walk.distinct)
    }

    /// The query, compiled.
    ///
    /// # Errors
    ///
    /// When it is malformed.
    pub fn filter(&self) -> Result<Filter, Fault> {
        match &self.query {
            Value::Null => Ok(Filter::all()),
            query => Ok(Filter::parse(query)?),
        }
    }

    /// About how many records have to be looked at.
    ///
    /// # Errors
    ///
    /// When the sort order is malformed.
    pub fn cost(&self, selection: &Selection, limit: usize) -> Result<usize, Fault> {
        let end = match self.distinct {
            Some(_) => usize::MAX,
            None => limit,
        };
        Ok(selection.cost(&Sort::parse(&self.sort)?, end))
    }

    /// The page; a `limit` of 0 is the default.
    ///
    /// # Errors
    ///
    /// For a cursor whose place makes no sense, and for a malformed sort order.
    pub fn page(&self, selection: &Selection, limit: usize) -> Result<Page, Fault> {
        let limit = if limit == 0 { DEFAULT } else { limit };
        match &self.distinct {
            Some(field) => self.values(selection, field, limit.min(MAX_PAGE_VALUES)),
            None => self.records(selection, limit.min(MAX_PAGE_RECORDS)),
        }
    }

    fn records(&self, selection: &Selection, limit: usize) -> Result<Page, Fault> {
        let sort = Sort::parse(&self.sort)?;
        let rows = match (sort.creation_order(), &self.after) {
            (Some(direction), Some(place)) => {
                let behind = selection.matching(selection.walk_from(direction, place.seq));
                behind.take(limit + 1).collect::<Result<Vec<_>, _>>()?
            }
            (Some(direction), None) => {
                let all = selection.matching(selection.walk(direction));
                all.take(limit + 1).collect::<Result<Vec<_>, _>>()?
            }
            (None, _) => {
                let mut rows = selection.all()?;
                if let Some(place) = &self.after {
                    let place = sort.read_position(&place.at)?;
                    rows.retain(|(record, mask)| {
                        let view = View::masked(*record, mask);
                        sort.is_after(&place, view, record.seq())
                    });
                }
                rows
            }
        };
        let views = rows
            .iter()
            .map(|row| (View::masked(row.0, &row.1), row.0.seq(), row));
        let page = sort.select(views, 0, limit + 1);
        let presenter = selection.presenter(Projection::parse(&self.fields.join(",")));
        let items = page.iter().take(limit);
        let items = fitting(items.map(|(record, _)| presenter.json(record)));
        let last = items.len().checked_sub(1).and_then(|last| page.get(last));
        let next = last.filter(|_| page.len() > items.len());
        let next = next.map(|(record, mask)| {
            let view = View::masked(*record, mask);
            self.cursor(sort.position(view, record.seq()), record.seq())
        });
        Ok(Page { items, next })
    }

    /// Elements of lists count one by one; a missing field has no value, an explicit null is one.
    fn values(&self, selection: &Selection, field: &str, limit: usize) -> Result<Page, Fault> {
        let path = FieldPath::parse(field);
        let mut found: HashMap<Vec<u8>, Value> = HashMap::new();
        for (record, mask) in selection.all()? {
            path.each_value(View::masked(record, &mask), |value| {
                let mut key = Vec::new();
                value.write_key(&mut key);
                found.entry(key).or_insert_with(|| value.to_value());
            });
        }
        let mut values: Vec<_> = found.into_values().collect();
        if let Some(place) = &self.after {
            values.retain(|value| value::compare(value, &place.at).is_gt());
        }
        values.sort_unstable_by(value::compare);
        let items = fitting(values.iter().take(limit).map(to_json));
        let last = items.len().checked_sub(1).and_then(|last| values.get(last));
        let next = last.filter(|_| values.len() > items.len());
        let next = next.map(|last| self.cursor(last.clone(), 0));
        Ok(Page { items, next })
    }

    fn cursor(&self, at: Value, seq: u64) -> String {
        let walk = Self {
            after: Some(Place { at, seq }),
            ..self.clone()
        };
        URL_SAFE_NO_PAD.encode(to_json(&walk))
    }
}

/// The first of the items, up to the bytes that a page may have.
fn fitting(items: impl Iterator<Item = Bytes>) -> Vec<Bytes> {
    let mut bytes = 0;
    let fits = |item: &Bytes| {
        let is_first = bytes == 0;
        bytes += item.len();
        is_first || bytes <= MAX_PAGE_BYTES
    };
    items.take_while(fits).collect()
}

/// No query at all and an empty one ask for the same records.
fn is_all(query: &Value) -> bool {
    query.is_null() || query.as_object().is_some_and(serde_json::Map::is_empty)
}

/// `+name` is `name`; the plus of an unencoded address arrives as a space.
fn without_plus(sort: &str) -> Vec<&str> {
    let fields = sort.split(',');
    fields
        .map(|field| field.trim().trim_start_matches('+'))
        .collect()
}
