//! The interface of one entity: the fields of its own. The SDK adds those that every record has (`id`, `created_date`, …).

use serde_json::{Value, json};

use super::{comment, shape::Shapes};

/// What the SDK adds to every entity's interface; declared again with another type, a field could have no value at all.
const SERVER_FIELDS: [&str; 6] = [
    "id",
    "created_date",
    "updated_date",
    "created_by",
    "created_by_id",
    "is_sample",
];

/// The declaration of `entity` under the name `interface`.
pub(super) fn of(interface: &str, entity: &str, schema: &Value) -> String {
    let mut schema = schema.clone();
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.retain(|name, _| !SERVER_FIELDS.contains(&name.as_str()));
    }
    if entity == "User" {
        schema = user(&schema);
    }
    let comment = comment::of(&schema, "");
    let members = Shapes::of(&schema).members(&schema, "  ");
    let body = if members.is_empty() {
        String::new()
    } else {
        format!("\n{members}")
    };
    format!("{comment}export interface {interface} {{{body}}}\n")
}

/// The schema of users with the fields that every account has, typed as the SDK's own `User` is. A `role` that the
/// project declares stays, since its values may be listed there.
fn user(schema: &Value) -> Value {
    let mut whole = json!({
        "description": schema["description"],
        "properties": {
            "email": { "type": "string" },
            "full_name": { "type": ["string", "null"] },
            "role": { "type": "string" },
            "is_verified": { "type": "boolean" },
            "disabled": { "type": ["boolean", "null"] },
            "is_service": { "type": "boolean" },
            "app_id": { "type": "string" },
        },
        "required": ["email", "full_name", "role", "is_verified", "disabled", "is_service", "app_id"],
    });
    let own = schema["properties"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    let built_in = ["email", "full_name"];
    let own = own
        .into_iter()
        .filter(|(name, _)| !built_in.contains(&name.as_str()));
    if let Some(properties) = whole["properties"].as_object_mut() {
        properties.extend(own);
    }
    if let (Some(all), Some(own)) = (
        whole["required"].as_array_mut(),
        schema["required"].as_array(),
    ) {
        all.extend(own.iter().cloned());
    }
    whole
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::of;

    #[test]
    fn a_task_has_exactly_its_fields() {
        let schema = json!({
            "name": "Task",
            "description": "What somebody has to do",
            "properties": {
                "id": { "type": "string" },
                "title": { "type": "string", "description": "What is to be done", "maxLength": 200 },
                "priority": { "type": "string", "enum": ["low", "high"], "default": "low" },
                "due_date": { "type": ["string", "null"], "format": "date" },
                "tags": { "type": "array", "items": { "type": "string" } },
            },
            "required": ["title", "id"],
        });
        insta::assert_snapshot!(of("Task", "Task", &schema), @r#"
        /** What somebody has to do */
        export interface Task {
          /**
           * What is to be done
           * At most 200 characters
           */
          title: string;
          /** @default "low" */
          priority?: "low" | "high";
          /** Format date */
          due_date?: string | null;
          tags?: string[];
        }
        "#);
    }

    #[test]
    fn users_have_what_every_account_has() {
        let schema = json!({
            "name": "User",
            "properties": { "role": { "enum": ["admin", "user"] }, "team": { "type": "string" } },
            "required": ["team"],
        });
        insta::assert_snapshot!(of("User", "User", &schema), @r#"
        export interface User {
          email: string;
          full_name: string | null;
          role: "admin" | "user";
          is_verified: boolean;
          disabled: boolean | null;
          is_service: boolean;
          app_id: string;
          team: string;
        }
        "#);
    }
}
