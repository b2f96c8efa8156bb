//! What updates refuse, and in which words.

use super::{apply, parse};
use crate::core::testing::{json, rows};

const MALFORMED: &str = r#"
{} | an update must be an object
[] | an update must be an object
{"a": 1} | "a" is not an update operator
{"$foo": {}} | unknown operator: $foo
{"$setOnInsert": {"a": 1}} | unknown operator: $setOnInsert
{"$set": 1} | $set needs an object
{"$set": {"id": 1}} | "id" cannot be changed
{"$set": {"_id": 1}} | "_id" cannot be changed
{"$unset": {"created_by.x": 1}} | cannot be changed
{"$rename": {"a": "updated_date"}} | cannot be changed
{"$set": {"a..b": 1}} | not a field to update
{"$set": {"a.$": 1}} | not a field to update
{"$set": {"a": 1}, "$inc": {"a": 1}} | would create a conflict at "a"
{"$set": {"a.b": 1}, "$unset": {"a": 1}} | would create a conflict
{"$set": {"b": 1}, "$rename": {"a": "b"}} | would create a conflict
{"$rename": {"a": "a"}} | another name
{"$rename": {"a": "a.b"}} | would create a conflict
{"$rename": {"a": 1}} | as a string
{"$inc": {"a": "1"}} | $inc of "a" needs a number
{"$mul": {"a": null}} | $mul of "a" needs a number
{"$currentDate": {"a": false}} | $currentDate of "a" needs
{"$currentDate": {"a": {"$type": "day"}}} | $currentDate of "a" needs
{"$push": {"a": {"$each": 1}}} | $each needs an array
{"$push": {"a": {"$slice": 1}}} | $slice needs $each
{"$push": {"a": {"$each": [], "$foo": 1}}} | modifier "$foo"
{"$push": {"a": {"$each": [], "$slice": 1.5}}} | $slice needs an integer
{"$push": {"a": {"$each": [], "$sort": 2}}} | $sort needs
{"$addToSet": {"a": {"$each": [], "$slice": 1}}} | modifier "$slice"
{"$pull": {"a": {"$foo": 1}}} | unknown operator: $foo
"#;

#[test]
fn malformed_updates_are_refused_by_name() {
    for [spec, expected] in rows(MALFORMED) {
        let message = parse(&json(spec)).expect_err(spec).to_string();
        assert!(message.contains(expected), "{spec}: {message}");
    }
}

const WRONG_TYPES: &str = r#"
{"$inc": {"a": 1}} | {"a": "1"} | $inc needs a number at "a"
{"$mul": {"a": 1}} | {"a": null} | $mul needs a number at "a"
{"$inc": {"a": 18446744073709551615}} | {"a": 1} | too large
{"$mul": {"a": 1e+308}} | {"a": 1e+308} | too large
{"$push": {"a": 1}} | {"a": null} | $push needs an array at "a"
{"$addToSet": {"a": 1}} | {"a": {}} | $addToSet needs an array
{"$pull": {"a": 1}} | {"a": 1} | $pull needs an array
{"$set": {"a.b": 1}} | {"a": 1} | cannot write "a.b"
{"$set": {"a.b": 1}} | {"a": null} | cannot write "a.b"
{"$set": {"a.b": 1}} | {"a": [1]} | not an index
{"$set": {"a.999999999999": 1}} | {"a": [1]} | past the end
{"$rename": {"a.0": "b"}} | {"a": [1]} | into the array
{"$rename": {"b": "a.x"}} | {"a": [1], "b": 1} | into the array
"#;

#[test]
fn operators_refuse_values_of_the_wrong_type() {
    for [spec, record, expected] in rows(WRONG_TYPES) {
        let message = apply(&json(spec), json(record))
            .expect_err(spec)
            .to_string();
        assert!(message.contains(expected), "{spec}: {message}");
    }
}
