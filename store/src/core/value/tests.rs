//! The order of values is total and agrees with equality and with hash keys.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::core::testing::any_value;

fn key(value: &Value) -> Vec<u8> {
    let mut key = Vec::new();
    write_key(value, &mut key);
    key
}

#[test]
fn values_sort_by_type_and_then_by_value() {
    let ascending = [
        json!(null),
        json!(-1e300),
        json!(i64::MIN),
        json!(-1.5),
        json!(0),
        json!(0.5),
        json!(9_007_199_254_740_992.0),
        json!(9_007_199_254_740_993_i64),
        json!(i64::MAX),
        json!(9_223_372_036_854_775_808_u64),
        json!(u64::MAX),
        json!(18_446_744_073_709_551_616.0),
        json!(""),
        json!("A"),
        json!("a"),
        json!("é"),
        json!("\u{ffff}"),
        json!("😀"),
        json!({}),
        json!({"a": 1}),
        json!({"b": 1}),
        json!({"a": "x"}),
        json!([]),
        json!([1]),
        json!([1, 2]),
        json!([2]),
        json!(false),
        json!(true),
    ];
    for (left_index, left) in ascending.iter().enumerate() {
        for (right_index, right) in ascending.iter().enumerate() {
            let expected = left_index.cmp(&right_index);
            assert_eq!(compare(left, right), expected, "{left} against {right}");
            assert_eq!(equals(left, right), expected.is_eq(), "{left} = {right}");
            assert_eq!(
                key(left) == key(right),
                expected.is_eq(),
                "keys of {left} and {right}"
            );
        }
    }
}

#[test]
fn equality_looks_at_values_and_not_at_their_form() {
    let equal = [
        (json!(1), json!(1.0)),
        (json!(0), json!(-0.0)),
        (json!({"a": 1, "b": [2]}), json!({"b": [2.0], "a": 1})),
        (
            json!(9_223_372_036_854_775_808_u64),
            json!(9_223_372_036_854_775_808.0),
        ),
    ];
    for (left, right) in equal {
        assert!(equals(&left, &right), "{left} = {right}");
        assert_eq!(
            compare(&left, &right),
            Ordering::Equal,
            "{left} against {right}"
        );
        assert_eq!(key(&left), key(&right), "keys of {left} and {right}");
    }
}

#[test]
fn a_missing_value_sorts_as_null() {
    assert_eq!(compare_options(None, Some(&Value::Null)), Ordering::Equal);
    assert_eq!(compare_options(None, Some(&json!(0))), Ordering::Less);
}

proptest! {
    #[test]
    fn prop_the_order_is_total(a in any_value(), b in any_value(), c in any_value()) {
        prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
        prop_assert_eq!(compare(&a, &a), Ordering::Equal);
        if compare(&a, &b).is_le() && compare(&b, &c).is_le() {
            prop_assert!(compare(&a, &c).is_le());
        }
        prop_assert_eq!(compare(&a, &b).is_eq(), equals(&a, &b));
        prop_assert_eq!(key(&a) == key(&b), equals(&a, &b));
    }
}
