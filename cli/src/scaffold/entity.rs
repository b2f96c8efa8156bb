//! A new entity: one schema with a first field, in a file whose name is the entity's in kebab case.

use super::NewFile;
use crate::{
    output::CommandError,
    project::{EntityFile, Layout, is_entity_name},
};

const ENTITY: &str = r#"// Every record also has id, created_date, updated_date and created_by: they need no lines here.
{
  "name": "@name@",
  "type": "object",
  "properties": {
    "title": {
      "type": "string",
      "description": "What it is called"
    }
  },
  "required": ["title"]

  // Without rules everybody may read and write. To give each person records of their own:
  //
  // , "rls": {
  //   "read": { "created_by_id": "{{user.id}}" },
  //   "update": { "created_by_id": "{{user.id}}" },
  //   "delete": { "created_by_id": "{{user.id}}" }
  // }
}
"#;

const USER: &str = r#"// What users have besides email, full_name and role, which are built in.
{
  "name": "User",
  "type": "object",
  "properties": {
    "nickname": {
      "type": "string",
      "description": "What others see"
    }
  }
}
"#;

/// The file of an entity called `name`.
///
/// # Errors
///
/// When there can be no entity of that name, or is one. Names that differ in case only are the same to the server.
pub(crate) fn file(
    layout: &Layout,
    existing: &[EntityFile],
    name: &str,
) -> Result<NewFile, CommandError> {
    if !is_entity_name(name) || name.starts_with('.') {
        let message = format!("`{name}` cannot be an entity's name");
        let hint = "expected letters, digits, `_`, `.` and `-`, such as `OrderItem`";
        return Err(CommandError::input(message).with_hint(hint));
    }
    let same = |entity: &&EntityFile| entity.name.eq_ignore_ascii_case(name);
    if let Some(entity) = existing.iter().find(same) {
        let file = layout.relative(&entity.path);
        let message = format!("the entity `{}` exists already: {file}", entity.name);
        return Err(CommandError::input(message).with_hint("choose another name"));
    }
    let text = if name.eq_ignore_ascii_case("User") {
        USER.to_owned()
    } else {
        ENTITY.replace("@name@", name)
    };
    let path = layout
        .entities_dir()
        .join(format!("{}.jsonc", kebab_case(name)));
    Ok(NewFile { path, text })
}

/// `OrderItem` is `order-item`, `HTTPLog` is `http-log`.
fn kebab_case(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut kebab = String::new();
    for (index, c) in chars.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| chars[before]);
        let after = chars.get(index + 1);
        let begins_word = before.is_some_and(|before| {
            before.is_ascii_lowercase()
                || before.is_ascii_digit()
                || before.is_ascii_uppercase() && after.is_some_and(char::is_ascii_lowercase)
        });
        if c.is_ascii_uppercase() && begins_word {
            kebab.push('-');
        }
        kebab.push(if *c == '_' {
            '-'
        } else {
            c.to_ascii_lowercase()
        });
    }
    kebab
}

#[cfg(test)]
mod tests {
    use super::kebab_case;

    #[test]
    fn files_are_named_in_kebab_case() {
        for (name, file) in [
            ("Task", "task"),
            ("OrderItem", "order-item"),
            ("order_item", "order-item"),
            ("HTTPLog", "http-log"),
            ("commerce.OrderItem", "commerce.order-item"),
            ("Top10Song", "top10-song"),
        ] {
            assert_eq!(kebab_case(name), file);
        }
    }
}
