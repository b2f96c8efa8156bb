//! Orders of records, and that selecting a page equals sorting everything.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::core::testing::{any_record, object};

fn sorted(sort: &str, records: &[Map<String, Value>]) -> Vec<u64> {
    let rows = (0..)
        .zip(records)
        .map(|(sequence, record)| (View::from(record), sequence, sequence));
    Sort::parse(sort).unwrap().select(rows, 0, usize::MAX)
}

#[test]
fn records_sort_by_their_fields() {
    let values = [
        json!(2),
        json!("x"),
        json!(null),
        json!([]),
        json!([5, 1]),
        json!(true),
        json!({"k": 1}),
        json!(1),
    ];
    let mut records: Vec<_> = values
        .iter()
        .map(|value| object(json!({"v": value, "s": {"d": value}})))
        .collect();
    records.push(object(json!({})));
    let cases: [(&str, &[u64]); 8] = [
        ("v", &[3, 2, 8, 4, 7, 0, 1, 6, 5]),
        ("+v", &[3, 2, 8, 4, 7, 0, 1, 6, 5]),
        (" v", &[3, 2, 8, 4, 7, 0, 1, 6, 5]),
        ("-v", &[5, 6, 1, 4, 0, 7, 8, 2, 3]),
        ("s.d", &[3, 2, 8, 4, 7, 0, 1, 6, 5]),
        ("none", &[0, 1, 2, 3, 4, 5, 6, 7, 8]),
        ("-none", &[8, 7, 6, 5, 4, 3, 2, 1, 0]),
        ("", &[8, 7, 6, 5, 4, 3, 2, 1, 0]),
    ];
    for (sort, expected) in cases {
        assert_eq!(sorted(sort, &records), expected, "{sort}");
    }
}

#[test]
fn later_fields_decide_among_equals() {
    let records = [
        json!({"a": 1, "b": 1}),
        json!({"a": 1, "b": 2}),
        json!({"a": 0, "b": 3}),
        json!({"a": 1, "b": 2}),
    ]
    .map(object);
    assert_eq!(sorted("a,-b", &records), [2, 1, 3, 0]);
    assert_eq!(sorted("-a,b", &records), [0, 3, 1, 2]);
}

#[test]
fn malformed_orders_are_refused() {
    for sort in ["-", "+", "a,-", "--a", "-$where"] {
        assert!(Sort::parse(sort).is_err(), "{sort}");
    }
    assert!(Sort::parse(&["a"; 33].join(",")).is_err());
}

#[test]
fn creation_order_is_recognised() {
    let direction = |sort| Sort::parse(sort).unwrap().creation_order();
    assert_eq!(direction(""), Some(Direction::Descending));
    assert_eq!(direction("created_date"), Some(Direction::Ascending));
    assert_eq!(direction("created_date,a"), None);
    assert_eq!(direction("updated_date"), None);
}

#[test]
fn a_position_of_another_order_is_refused() {
    let record = object(json!({"a": 1}));
    let position = Sort::parse("a").unwrap().position(View::from(&record), 1);
    assert!(Sort::parse("a").unwrap().read_position(&position).is_ok());
    assert!(
        Sort::parse("a,b")
            .unwrap()
            .read_position(&position)
            .is_err()
    );
    for malformed in [
        json!(null),
        json!([]),
        json!([[1], 1]),
        json!([[[1]], -1]),
        json!([[[1, 2]], 1]),
    ] {
        assert!(
            Sort::parse("a").unwrap().read_position(&malformed).is_err(),
            "{malformed}"
        );
    }
}

fn any_sort() -> impl Strategy<Value = Sort> {
    "[+-]?[abc](\\.[ab0])?(,-?[abc])?".prop_map(|text| Sort::parse(&text).unwrap())
}

proptest! {
    #[test]
    fn prop_the_order_of_records_is_total(sort in any_sort(), a in any_record(), b in any_record(), c in any_record()) {
        let compare = |left: (&Map<String, Value>, u64), right: (&Map<String, Value>, u64)| {
            sort.compare((View::from(left.0), left.1), (View::from(right.0), right.1))
        };
        let (a, b, c) = ((&a, 1), (&b, 2), (&c, 3));
        prop_assert_eq!(compare(a, b), compare(b, a).reverse());
        prop_assert!(compare(a, b).is_ne());
        if compare(a, b).is_lt() && compare(b, c).is_lt() {
            prop_assert!(compare(a, c).is_lt());
        }
    }

    #[test]
    fn prop_a_page_is_a_part_of_the_whole_order(
        sort in any_sort(),
        records in prop::collection::vec(any_record(), 0..200),
        skip in 0_usize..20,
        limit in 0_usize..20,
    ) {
        let rows = || (0_u64..).zip(&records).map(|(sequence, record)| (View::from(record), sequence, sequence));
        let mut all: Vec<_> = rows().collect();
        all.sort_by(|left, right| sort.compare((left.0, left.1), (right.0, right.1)));
        let expected: Vec<_> = all.iter().map(|row| row.2).skip(skip).take(limit).collect();
        prop_assert_eq!(sort.select(rows(), skip, limit), expected);
    }

    #[test]
    fn prop_a_position_parts_the_order(sort in any_sort(), a in any_record(), b in any_record()) {
        let (a, b) = ((View::from(&a), 1), (View::from(&b), 2));
        let position = sort.read_position(&sort.position(a.0, a.1)).unwrap();
        prop_assert_eq!(sort.is_after(&position, b.0, b.1), sort.compare(b, a).is_gt());
        prop_assert!(!sort.is_after(&position, a.0, a.1));
    }
}
