//! The official tool's own templates of a project, taken from its npm package when it is needed; nothing of it is in this
//! repository.

use std::{fs, path::Path, path::PathBuf, time::Duration};

use crate::{
    command::{command, finish},
    tools::{kept, on_path, turn},
};

const PACKAGE: &str = "base44@0.1.18";
const TEMPLATES: &str = "package/dist/assets/templates";
const LIMIT: Duration = Duration::from_secs(600);

/// The app id that the template's copy is linked to.
pub const APP_ID: &str = "0123456789abcdef01234567";

/// A copy of the template with a frontend, with its packages installed, as `base44 create` and `npm install` leave it; in a folder that is
/// kept, since installing takes a while. Nothing where there is no npm.
///
/// # Panics
///
/// When npm fails or the template is not as it was.
pub async fn installed() -> Option<PathBuf> {
    let npm = on_path("npm")?;
    let _alone = turn("template").await;
    let project = instance(&npm, "backend-and-client", "project").await;
    if !project.join("node_modules/.package-lock.json").exists() {
        let mut install = command(&npm);
        install
            .args(["install", "--no-audit", "--no-fund"])
            .current_dir(&project);
        let _ = finish(install, LIMIT)
            .await
            .success("npm install in the template");
    }
    Some(project)
}

/// A copy of the template that is a backend alone, as `base44 create` leaves it. Nothing where there is no npm.
///
/// # Panics
///
/// When npm fails or the template is not as it was.
pub async fn backend_only() -> Option<PathBuf> {
    let npm = on_path("npm")?;
    let _alone = turn("template").await;
    Some(instance(&npm, "backend-only", "backend").await)
}

/// The folder `name` beside the unpacked package, with the files of `template`.
async fn instance(npm: &Path, template: &str, name: &str) -> PathBuf {
    let folder = kept("template");
    let done = folder.join("done");
    if !done.is_file() {
        unpack(npm, &folder).await;
        fs::write(done, "").expect("cargo's folder can be written");
    }
    let project = folder.join(name);
    instantiate(&folder.join(TEMPLATES).join(template), &project);
    project
}

async fn unpack(npm: &Path, folder: &Path) {
    let mut pack = command(npm);
    pack.args(["pack", PACKAGE, "--silent", "--pack-destination"])
        .arg(folder)
        .current_dir(folder);
    let packed = finish(pack, LIMIT).await.success("npm pack");
    let file = packed
        .stdout
        .trim()
        .lines()
        .last()
        .expect("npm names the file it wrote")
        .to_owned();
    let mut unpack = command("tar");
    unpack.args(["-xzf", &file]).current_dir(folder);
    let _ = finish(unpack, LIMIT).await.success("tar");
}

/// Files that end in `.ejs` are filled in; the head of one may name the file to write.
fn instantiate(source: &Path, target: &Path) {
    fs::create_dir_all(target).expect("cargo's folder can be written");
    for entry in fs::read_dir(source)
        .expect("the package holds the template")
        .flatten()
    {
        let (from, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if from.is_dir() {
            instantiate(&from, &target.join(&*name));
        } else if let Some(plain) = name.strip_suffix(".ejs") {
            let text = fs::read_to_string(&from).expect("a template is text");
            let (file, body) = head(&text).unwrap_or((plain, &text));
            fs::write(target.join(file), fill(body)).expect("cargo's folder can be written");
        } else {
            fs::copy(&from, target.join(&*name)).expect("cargo's folder can be written");
        }
    }
}

/// `outputFileName` of the head between two lines of dashes, and what follows it.
fn head(text: &str) -> Option<(&str, &str)> {
    let (head, body) = text.strip_prefix("---\n")?.split_once("\n---\n")?;
    Some((head.strip_prefix("outputFileName: ")?.trim(), body))
}

/// The three variables of the template; without a description, its optional part goes.
fn fill(text: &str) -> String {
    let filled = text
        .replace("<%= projectId %>", APP_ID)
        .replace("<%= name %>", "From the template");
    match (
        filled.find("<% if (description) { %>"),
        filled.find("<% } %>"),
    ) {
        (Some(begin), Some(end)) => {
            format!("{}{}", &filled[..begin], &filled[end + "<% } %>".len()..])
        }
        _ => filled,
    }
}

#[cfg(test)]
mod tests {
    use super::{fill, head};

    #[test]
    fn the_head_names_the_file() {
        assert_eq!(
            head("---\noutputFileName: .app.jsonc\n---\nbody"),
            Some((".app.jsonc", "body"))
        );
        assert_eq!(head("no head"), None);
    }

    #[test]
    fn variables_are_filled_and_the_optional_part_goes() {
        let text = r#"{"name": "<%= name %>"<% if (description) { %>, "description": "<%= description %>"<% } %>}"#;
        assert_eq!(fill(text), r#"{"name": "From the template"}"#);
    }
}
