//! A clock that jumps, forwards and back: the order of creation stays the order of ids and of dates.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::database;
use crate::core::{caller::Caller, stamp::Timestamp, testing::object};

proptest! {
    #[test]
    fn prop_ids_are_unique_and_ordered_and_dates_never_go_back_however_the_clock_jumps(
        times in prop::collection::vec(prop_oneof![Just(0), 1_700_000_000_000_u64..1_800_000_000_000, any::<u64>()], 1..30),
    ) {
        let mut database = database();
        let mut last = (String::new(), String::new());
        for time in times {
            database.set_time(Timestamp::from_millis(time));
            let made = database.create("Row", &Caller::Service, object(json!({"a": 1}))).unwrap();
            let made: Value = serde_json::from_slice(&made).unwrap();
            let text = |name: &str| made[name].as_str().unwrap().to_owned();
            let (id, date) = (text("id"), text("created_date"));
            prop_assert!(id > last.0, "{id} after {}", last.0);
            prop_assert!(date >= last.1, "{date} after {}", last.1);
            prop_assert_eq!(text("updated_date"), date.clone());
            last = (id, date);
        }
    }
}
