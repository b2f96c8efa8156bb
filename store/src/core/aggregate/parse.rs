//! The reader of aggregation specifications.

use serde_json::{Map, Value};

use super::bucket::{Bucket, Unit};
use super::total::Measure;
use super::{Aggregate, GroupKey, TotalColumn};
use crate::core::error::QueryError;
use crate::core::filter::Filter;
use crate::core::path::FieldPath;
use crate::core::sort::Sort;

/// The SDK's documented limits.
const MAX_GROUP_FIELDS: usize = 4;
const MAX_ROWS: usize = 1_000;
/// Far above any use; bounds what one record costs.
const MAX_TOTALS: usize = 100;

type Result<T> = std::result::Result<T, QueryError>;

pub(super) fn parse(spec: &Value) -> Result<Aggregate> {
    let Value::Object(spec) = spec else {
        return Err(QueryError::invalid("an aggregation must be an object"));
    };
    let mut groups = parse_groups(spec)?;
    groups.extend(parse_bucket(spec)?);
    let totals = parse_totals(spec)?;
    let has_count = parse_count(spec)?;
    let columns = columns(&groups, has_count, &totals)?;
    let all = || Ok(Filter::all());
    Ok(Aggregate {
        query: given(spec, "query").map_or_else(all, Filter::parse)?,
        having: given(spec, "having")
            .map_or_else(all, |having| Filter::parse_for_columns(having, &columns))?,
        order: given(spec, "sort")
            .map(|sort| parse_order(sort, &columns))
            .transpose()?,
        limit: given(spec, "limit").map_or(Ok(MAX_ROWS), parse_limit)?,
        groups,
        has_count,
        totals,
    })
}

/// A key's value; null is as good as leaving it out.
fn given<'v>(spec: &'v Map<String, Value>, key: &str) -> Option<&'v Value> {
    spec.get(key).filter(|value| !value.is_null())
}

/// One name or several; a name that comes twice counts once.
fn names<'v>(spec: &'v Map<String, Value>, key: &str) -> Result<Vec<&'v str>> {
    let invalid =
        || QueryError::invalid(format!("{key} needs a field's name or an array of names"));
    let values = match given(spec, key) {
        None => &[],
        Some(Value::Array(values)) => values.as_slice(),
        Some(value) => std::slice::from_ref(value),
    };
    let mut names = Vec::with_capacity(values.len());
    for value in values {
        let name = value
            .as_str()
            .filter(|name| !name.is_empty())
            .ok_or_else(invalid)?;
        if name.starts_with('$') {
            return Err(QueryError::invalid(format!(
                "{key} needs a field's name without $, not \"{name}\""
            )));
        }
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

fn parse_groups(spec: &Map<String, Value>) -> Result<Vec<GroupKey>> {
    let names = names(spec, "groupBy")?;
    if names.len() > MAX_GROUP_FIELDS {
        return Err(QueryError::invalid(format!(
            "groupBy takes at most {MAX_GROUP_FIELDS} fields"
        )));
    }
    let groups = names.into_iter();
    Ok(groups
        .map(|name| GroupKey {
            column: name.to_owned(),
            path: FieldPath::parse(name),
            bucket: None,
        })
        .collect())
}

fn parse_bucket(spec: &Map<String, Value>) -> Result<Option<GroupKey>> {
    let Some(bucket) = given(spec, "dateBucket") else {
        return Ok(None);
    };
    let text = |key: &str| {
        bucket
            .get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let Some(field) = text("field") else {
        return Err(QueryError::invalid(
            "dateBucket needs a field's name as its \"field\"",
        ));
    };
    let unit = match text("unit") {
        Some("day") => Unit::Day,
        Some("week") => Unit::Week,
        Some("month") => Unit::Month,
        Some("year") => Unit::Year,
        _ => {
            return Err(QueryError::invalid(
                "dateBucket needs day, week, month or year as its \"unit\"",
            ));
        }
    };
    let path = FieldPath::parse(field);
    let is_stored = path.is_stored_date();
    if unit == Unit::Week && !is_stored {
        return Err(QueryError::invalid(
            "dateBucket takes the unit week for created_date and updated_date only",
        ));
    }
    Ok(Some(GroupKey {
        column: field.to_owned(),
        path,
        bucket: Some(Bucket { unit, is_stored }),
    }))
}

fn parse_count(spec: &Map<String, Value>) -> Result<bool> {
    match given(spec, "count") {
        None => Ok(true),
        Some(Value::Bool(count)) => Ok(*count),
        Some(_) => Err(QueryError::invalid("count needs true or false")),
    }
}

fn parse_totals(spec: &Map<String, Value>) -> Result<Vec<TotalColumn>> {
    let measures = [
        ("sum", "sum", Measure::Sum),
        ("avg", "avg", Measure::Average),
        ("min", "min", Measure::Minimum),
        ("max", "max", Measure::Maximum),
        ("countDistinct", "count_distinct", Measure::CountDistinct),
    ];
    let mut totals = Vec::new();
    for (key, prefix, measure) in measures {
        for name in names(spec, key)? {
            totals.push(TotalColumn {
                column: format!("{prefix}_{name}"),
                path: FieldPath::parse(name),
                measure,
            });
        }
    }
    if totals.len() > MAX_TOTALS {
        return Err(QueryError::LimitHit(format!(
            "an aggregation computes at most {MAX_TOTALS} columns"
        )));
    }
    Ok(totals)
}

fn columns(groups: &[GroupKey], has_count: bool, totals: &[TotalColumn]) -> Result<Vec<String>> {
    let groups = groups.iter().map(|group| group.column.as_str());
    let totals = totals.iter().map(|total| total.column.as_str());
    let mut columns: Vec<String> = Vec::new();
    for column in groups.chain(has_count.then_some("count")).chain(totals) {
        if columns.iter().any(|other| other == column) {
            return Err(QueryError::invalid(format!(
                "two columns of the aggregation would be called \"{column}\""
            )));
        }
        columns.push(column.to_owned());
    }
    Ok(columns)
}

fn parse_order(sort: &Value, columns: &[String]) -> Result<Sort> {
    let Value::String(sort) = sort else {
        return Err(QueryError::invalid(
            "sort needs a column's name, with - in front for descending order",
        ));
    };
    let order = Sort::parse_for_columns(sort)?;
    if let Some(stranger) = order
        .paths()
        .find(|path| !columns.iter().any(|column| *column == *path.first()))
    {
        let columns = columns.join(", ");
        return Err(QueryError::invalid(format!(
            "cannot sort rows by \"{stranger}\"; the columns are {columns}"
        )));
    }
    Ok(order)
}

/// Beyond the maximum is the maximum; zero and less stand for no limit of the caller's own, as in lists.
fn parse_limit(limit: &Value) -> Result<usize> {
    match limit.as_f64() {
        None => Err(QueryError::invalid("limit needs a number")),
        Some(_) => Ok(limit
            .as_u64()
            .and_then(|limit| usize::try_from(limit).ok())
            .filter(|limit| (1..MAX_ROWS).contains(limit))
            .unwrap_or(MAX_ROWS)),
    }
}
