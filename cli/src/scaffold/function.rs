//! A new function: `<functions directory>/<name>/entry.ts`, which is all that a function needs.

use std::path::Path;

use super::NewFile;
use crate::{
    output::CommandError,
    project::{FunctionFile, Layout, refuse_function_name},
};

const ENTRY: &str = r#"// Answers base44.functions.invoke("@name@", { name: "Ada" }), and HTTP requests to /functions/@name@.
//
// To work with data, import the SDK and make a client that acts as whoever calls:
//   import { createClientFromRequest } from "npm:@base44/sdk@0.8.50";
//   const base44 = createClientFromRequest(req);
Deno.serve(async (req) => {
  const { name = "World" } = await req.json().catch(() => ({}));
  return Response.json({ message: `Hello, ${name}!` });
});
"#;

/// The file of a function called `name`.
///
/// # Errors
///
/// When there can be no function of that name, or is one.
pub(crate) fn file(
    layout: &Layout,
    existing: &[FunctionFile],
    name: &str,
) -> Result<NewFile, CommandError> {
    refuse(name)?;
    let folder = layout.functions_dir().join(name);
    let taken = |path: &Path, what: &str| {
        let file = layout.relative(path);
        Err(CommandError::input(format!("{what} {file}")).with_hint("choose another name"))
    };
    for function in existing {
        if function.name == name {
            return taken(
                &function.entry,
                &format!("the function `{name}` exists already:"),
            );
        }
    }
    for config in ["function.jsonc", "function.json", "entry.ts", "entry.js"] {
        let path = folder.join(config);
        if path.symlink_metadata().is_ok() {
            return taken(&path, "that folder belongs to another function:");
        }
    }
    Ok(NewFile {
        path: folder.join("entry.ts"),
        text: ENTRY.replace("@name@", name),
    })
}

/// The name becomes a path, so it must be one that discovery turns into the same name again.
fn refuse(name: &str) -> Result<(), CommandError> {
    let unusable = name
        .split('/')
        .any(|part| part == "node_modules" || part.trim() != part);
    let expected = refuse_function_name(name).or_else(|| {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '/');
        (unusable || !name.chars().all(plain))
            .then_some("letters, digits, `-`, `_` and single slashes")
    });
    expected.map_or(Ok(()), |expected| {
        let message = format!("`{name}` cannot be a function's name");
        Err(CommandError::input(message)
            .with_hint(format!("expected {expected}, such as `email/send`")))
    })
}
