//! Entity files: names, shapes, rules, and what is kept when one of them is wrong.

use serde_json::json;

use super::super::EntityFile;
use super::{entity_names, project, said, schema};

#[test]
fn names_come_from_the_file_unless_it_has_one() {
    let cases = [
        ("task.jsonc", "{}", "Task"),
        ("order-item.json", "{}", "OrderItem"),
        ("order_item.jsonc", "{}", "OrderItem"),
        ("OrderItem.jsonc", "{}", "OrderItem"),
        ("Inquiry.Jsonc", "{}", "Inquiry"),
        ("commerce.order-item.jsonc", "{}", "commerce.OrderItem"),
        (
            "x.jsonc",
            "{ name: 'commerce.Product' }",
            "commerce.Product",
        ),
        ("x.jsonc", "\u{feff}{ name: 'a-b_c' }", "a-b_c"),
        ("user.jsonc", "{ required: ['role'] }", "User"),
    ];
    for (file, text, name) in cases {
        let project = project(&[(&format!("base44/entities/{file}"), text)]);
        assert_eq!(entity_names(&project), [name], "{file}");
        assert_eq!(said(&project), "", "{file}");
    }
}

#[test]
fn a_schema_is_strict_json_with_its_keys_in_order() {
    let text = "// c\n{ title: 'T', properties: { z: {type: 'number', default: 5, future: true}, a: {type: ['string', 'null']}, }, extra: [1.5], }";
    let project = project(&[
        ("base44/entities/task.jsonc", text),
        ("base44/entities/bare.jsonc", "{}"),
    ]);
    let EntityFile {
        schema_json, path, ..
    } = &project.entities[1];
    assert!(path.ends_with("base44/entities/task.jsonc"), "{path:?}");
    insta::assert_snapshot!(schema_json, @r#"
    {"name":"Task","type":"object","title":"T","properties":{"z":{"type":"number","default":5,"future":true},"a":{"type":["string","null"]}},"extra":[1.5]}
    "#);
    assert_eq!(
        schema(&project, "Bare"),
        json!({"name": "Bare", "type": "object", "properties": {}})
    );
}

#[test]
fn only_json_files_directly_in_the_directory_are_entities() {
    let names = [
        "a.jsonc",
        "sub/b.jsonc",
        "c.txt",
        ".hidden.jsonc",
        "d.jsonc.bak",
    ];
    let files: Vec<(String, &str)> = names
        .iter()
        .map(|name| (format!("base44/entities/{name}"), "{}"))
        .collect();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), *text))
        .collect();
    let project = project(&files);
    assert_eq!(entity_names(&project), ["A"]);
    assert_eq!(said(&project), "");
}

#[test]
fn a_file_that_cannot_be_used_is_left_out_and_the_others_stay() {
    let project = project(&[
        ("base44/entities/a.jsonc", "{ name: 'Same' }"),
        ("base44/entities/b.jsonc", "{\n  name: 'Same' }"),
        ("base44/entities/c.jsonc", "{ name: 'no spaces' }"),
        ("base44/entities/d.jsonc", "{ name: 7 }"),
        ("base44/entities/e.jsonc", "{ properties: [] }"),
        (
            "base44/entities/f.jsonc",
            "{ properties: {\n x: 'string',\n y: { type: 5, enum: 'a', minLength: -1, maximum: '9' },\n z: { items: [] } }, required: 'x', type: 'table' }",
        ),
        ("base44/entities/g.jsonc", "{ schema: { type: 'object' } }"),
        ("base44/entities/h.jsonc", "{ properties: { "),
        ("base44/entities/ü.jsonc", "{}"),
        ("base44/entities/z.jsonc", "{}"),
    ]);
    assert_eq!(entity_names(&project), ["Same", "Z"]);
    insta::assert_snapshot!(said(&project), @r#"
    base44/entities/b.jsonc:2:9: error: the entity `Same` is already defined in base44/entities/a.jsonc
    hint: base44/entities/a.jsonc is used and this file is left out: rename or remove one of the two
    base44/entities/c.jsonc:1:9: error: `name` is the string "no spaces"; expected a name of letters, digits, `_`, `.` and `-`
    base44/entities/d.jsonc:1:9: error: `name` is the number 7; expected a string
    base44/entities/e.jsonc:1:15: error: `properties` is an array; expected an object of properties
    base44/entities/f.jsonc:2:5: error: `properties.x` is the string "string"; expected a property definition, for example { "type": "string" }
    base44/entities/f.jsonc:3:13: error: `properties.y.type` is the number 5; expected the name of a type, or an array of them
    base44/entities/f.jsonc:3:22: error: `properties.y.enum` is the string "a"; expected an array of allowed values
    base44/entities/f.jsonc:3:38: error: `properties.y.minLength` is the number -1; expected a whole number, 0 or more
    base44/entities/f.jsonc:3:51: error: `properties.y.maximum` is the string "9"; expected a number
    base44/entities/f.jsonc:4:2: warning: `properties.z` has no `type`; expected string, number, integer, boolean, array, object, null, binary
    base44/entities/f.jsonc:4:14: error: `properties.z.items` is an array; expected a property definition, for example { "type": "string" }
    base44/entities/f.jsonc:4:32: error: `required` is the string "x"; expected an array of property names
    base44/entities/f.jsonc:4:43: error: `type` is the string "table"; expected "object"
    base44/entities/g.jsonc:1:3: error: the schema is wrapped in a key `schema`
    hint: move what is inside `schema` to the top of the file; Base44 refuses the wrapper as well
    base44/entities/h.jsonc:1:15: error: this `{` is never closed; expected `}` before the end of the file
    base44/entities/ü.jsonc:1:1: error: the file's name gives no entity name: `Ü`
    hint: add "name": "…"
    "#);
}

#[test]
fn names_that_differ_in_case_only_are_warned_about() {
    let project = project(&[
        ("base44/entities/a.jsonc", "{ name: 'Twin' }"),
        ("base44/entities/b.jsonc", "{ name: 'twin' }"),
    ]);
    assert_eq!(entity_names(&project), ["Twin", "twin"]);
    let said = said(&project);
    let expected = "b.jsonc:1:9: warning: `twin` and `Twin` differ in case only";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn what_merely_looks_odd_is_a_warning() {
    let text = "{ properties: { a: {}, b: { type: 'text' }, c: { type: 'string', required: true } }, required: ['a', 'nope', 'created_by'] }";
    let project = project(&[("base44/entities/task.jsonc", text)]);
    assert_eq!(entity_names(&project), ["Task"]);
    insta::assert_snapshot!(said(&project), @r"
    base44/entities/task.jsonc:1:17: warning: `properties.a` has no `type`; expected string, number, integer, boolean, array, object, null, binary
    base44/entities/task.jsonc:1:35: warning: `properties.b.type` names a type that does not exist; every value will be refused; expected string, number, integer, boolean, array, object, null, binary
    base44/entities/task.jsonc:1:66: warning: `properties.c.required` has no effect
    hint: list the property's name in `required` beside `properties`
    base44/entities/task.jsonc:1:102: warning: `nope` is required but is not among the properties
    hint: declare it in `properties`, or take it out of `required`
    ");
}

#[test]
fn the_user_schema_may_not_redefine_what_every_user_has() {
    let base = project(&[(
        "base44/entities/user.jsonc",
        "{ properties: {\n full_name: {type: 'string'},\n email: {type: 'string'} } }",
    )]);
    assert_eq!(entity_names(&base), Vec::<&str>::new());
    let role = project(&[(
        "base44/entities/u.jsonc",
        "{ name: 'user', properties: { role: {type: 'string'} }, rls: { read: { email: '{{user.email}}' } } }",
    )]);
    assert_eq!(entity_names(&role), ["User"]);
    assert_eq!(schema(&role, "User")["name"], "User");
    insta::assert_snapshot!(format!("{}\n{}", said(&base), said(&role)), @r"
    base44/entities/user.jsonc:2:2: error: `full_name` is built into User and cannot be defined again
    hint: remove `full_name` from the properties; every user has it
    base44/entities/user.jsonc:3:2: error: `email` is built into User and cannot be defined again
    hint: remove `email` from the properties; every user has it
    base44/entities/u.jsonc:1:9: warning: `user` is read as `User`, the built-in entity of users
    base44/entities/u.jsonc:1:31: warning: `role` is built into User
    hint: remove it from the properties; every user has a role
    ");
}

#[test]
fn rules_of_real_projects_are_accepted() {
    let rules = [
        "{ read: true, create: false, update: null, delete: '', write: {} }",
        "{ read: { 'data.ids': { $in: '{{user.data.ids}}' } } }",
        "{ read: { created_by: '{{user.email}}', created_by_id: null, 'data.created_by': '{{user.branch}}' } }",
        "{ read: { $or: [ { 'data.ids': 1 }, { $and: [ { user_condition: { role: '__service_only__' } } ] }, { $nor: [] } ] } }",
        "{ read: { 'data.ids.x': { $exists: true, $size: 2, $gte: 1, $elemMatch: { a: 1 } } } }",
        "null",
    ];
    for rule in rules {
        let text = format!(
            "{{ properties: {{ ids: {{ type: 'array', rls: {{ read: true }} }} }}, rls: {rule} }}"
        );
        assert_eq!(
            said(&project(&[("base44/entities/task.jsonc", &text)])),
            "",
            "{rule}"
        );
    }
}

#[test]
fn a_wrong_rule_is_reported_and_its_entity_stays() {
    let text = "{ properties: { a: { type: 'object', properties: { b: { type: 'string', rls: { read: 'all' } } } } },\n rls: {\n  \
        read: { 'data.a': { $contains: 'x' } },\n  create: 5,\n  reed: true,\n  \
        update: { $or: {}, $where: 1, user_condition: {} },\n  \
        delete: { status: 'x', 'data.ownr': '{{me.id}}', 'data.a': { $in: 'x', $size: '1', $not: { $eq: 1, b: 2 } }, 'data.a.b': ['x'] },\n  \
        write: { $and: [ 5, { user_condition: { role: { $in: ['a'] }, id: [1] } } ] } } }";
    let project = project(&[("base44/entities/task.jsonc", text)]);
    assert_eq!(entity_names(&project), ["Task"]);
    insta::assert_snapshot!(said(&project), @r#"
    base44/entities/task.jsonc:1:86: error: `properties.a.properties.b.rls.read` is the string "all"; expected true, false, null or a condition object
    hint: until this is right the rule denies everyone but the service role
    base44/entities/task.jsonc:3:23: error: rules have no operator `$contains`; expected $eq $ne $in $nin $gt $gte $lt $lte $all $elemMatch $exists $size
    hint: until this is right the rule denies everyone but the service role
    base44/entities/task.jsonc:4:11: error: `rls.create` is the number 5; expected true, false, null or a condition object
    hint: until this is right the rule denies everyone but the service role
    base44/entities/task.jsonc:5:3: warning: `rls.reed` is not an operation; the rule is ignored; expected create, read, update, delete or write
    base44/entities/task.jsonc:6:18: error: `rls.update.$or` is an object; expected an array of conditions
    hint: until this is right the rule denies everyone but the service role
    base44/entities/task.jsonc:6:22: error: `$where` cannot stand here; expected $or, $and, $nor, user_condition or a field
    hint: until this is right the rule denies everyone but the service role
    base44/entities/task.jsonc:6:49: error: `rls.update.user_condition` is an object; expected an object of user attributes, for example { "role": "admin" }
    hint: until this is right the rule denies everyone but the service role
    base44/entities/task.jsonc:7:13: warning: `status` without `data.` never matches
    hint: write "data.status"
    base44/entities/task.jsonc:7:26: warning: Task has no property `ownr`; this condition never matches
    hint: correct the name, or declare it in `properties`
    base44/entities/task.jsonc:7:39: warning: the template `{{me.id}}` has no value; this condition never matches; expected {{user.id}}, {{user.email}}, {{user.role}} or {{user.data.<field>}}
    base44/entities/task.jsonc:7:69: error: `rls.delete.data.a.$in` is the string "x"; expected an array, or a template that is one
    hint: until this is right the rule denies everyone but the service role
    base44/entities/task.jsonc:7:81: error: `rls.delete.data.a.$size` is the string "1"; expected a whole number
    hint: until this is right the rule denies everyone but the service role
    base44/entities/task.jsonc:7:86: warning: Base44 documents no `$not` in rules
    hint: it works here
    base44/entities/task.jsonc:7:102: error: rules have no operator `b`; expected $eq $ne $in $nin $gt $gte $lt $lte $all $elemMatch $exists $size
    hint: until this is right the rule denies everyone but the service role
    base44/entities/task.jsonc:7:124: warning: `rls.delete.data.a.b` matches only a field that is this very list
    hint: write { "$in": [...] } for any one of its values
    base44/entities/task.jsonc:8:20: error: `rls.write.$and[0]` is the number 5; expected a condition object
    hint: until this is right the rule denies everyone but the service role
    base44/entities/task.jsonc:8:49: warning: `rls.write.$and[1].user_condition.role` is not a plain value; expected text, a number, true, false or null
    hint: it works here, but Base44 documents only plain values in user_condition
    "#);
}
