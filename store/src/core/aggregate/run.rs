//! The grouping itself: one pass over the records, then the rows.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::total::Total;
use super::{Aggregate, GroupKey, Rows};
use crate::core::error::QueryError;
use crate::core::value::{Lent, compare};
use crate::core::view::View;

/// The records seen so far that share their group fields.
struct Group {
    keys: Vec<Value>,
    count: u64,
    totals: Vec<Total>,
}

pub(super) fn run<'a>(
    spec: &Aggregate,
    records: impl Iterator<Item = View<'a>>,
) -> Result<Rows, QueryError> {
    let mut rows = Vec::new();
    for group in collect(spec, records) {
        let row = finish(spec, group);
        if spec.having.matches(&row)? {
            rows.push(row);
        }
    }
    if let Some(order) = &spec.order {
        // Stable, so that equal rows stay in the order of their group fields.
        rows.sort_by(|left, right| order.compare((View::from(left), 0), (View::from(right), 0)));
    }
    let truncated = rows.len() > spec.limit;
    rows.truncate(spec.limit);
    Ok(Rows { rows, truncated })
}

/// The groups in ascending order of their group fields.
fn collect<'a>(spec: &Aggregate, records: impl Iterator<Item = View<'a>>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut places: HashMap<Vec<u8>, usize> = HashMap::new();
    if spec.groups.is_empty() {
        groups.push(Group::new(spec, Vec::new()));
        places.insert(Vec::new(), 0);
    }
    let mut key = Vec::new();
    for record in records {
        key.clear();
        spec.groups
            .iter()
            .for_each(|group| group.value(record).get().write_key(&mut key));
        let place = places.get(&key).copied().unwrap_or_else(|| {
            groups.push(Group::new(
                spec,
                spec.groups
                    .iter()
                    .map(|group| group.value(record).into_value())
                    .collect(),
            ));
            places.insert(key.clone(), groups.len() - 1);
            groups.len() - 1
        });
        groups[place].add(spec, record);
    }
    groups.sort_by(|left, right| {
        let fields = left
            .keys
            .iter()
            .zip(&right.keys)
            .map(|(left, right)| compare(left, right));
        fields
            .into_iter()
            .find(|ordering| ordering.is_ne())
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    groups
}

impl GroupKey {
    fn value<'a>(&self, record: View<'a>) -> Lent<'a> {
        let value = self.path.resolve(record);
        match self.bucket {
            Some(bucket) => Lent::Owned(bucket.of(value.as_ref().map(Lent::get))),
            None => value.unwrap_or(Lent::Owned(Value::Null)),
        }
    }
}

impl Group {
    fn new(spec: &Aggregate, keys: Vec<Value>) -> Self {
        let totals = spec
            .totals
            .iter()
            .map(|total| Total::new(total.measure))
            .collect();
        Self {
            keys,
            count: 0,
            totals,
        }
    }

    fn add(&mut self, spec: &Aggregate, record: View<'_>) {
        self.count += 1;
        for (total, column) in self.totals.iter_mut().zip(&spec.totals) {
            if let Some(value) = column.path.resolve(record) {
                total.add(value.get());
            }
        }
    }
}

fn finish(spec: &Aggregate, group: Group) -> Map<String, Value> {
    let keys = spec
        .groups
        .iter()
        .map(|key| key.column.clone())
        .zip(group.keys);
    let count = spec
        .has_count
        .then(|| ("count".to_owned(), Value::from(group.count)));
    let totals = spec
        .totals
        .iter()
        .map(|total| total.column.clone())
        .zip(group.totals.into_iter().map(Total::finish));
    keys.chain(count).chain(totals).collect()
}
