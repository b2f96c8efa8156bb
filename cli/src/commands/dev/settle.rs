//! Tells files that were deleted from those that are being replaced: some editors remove a file and move a new one in, and
//! what a deletion costs, records above all, must not be the price of a save.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::time::sleep;

use crate::project::Project;

/// How long a file has to stay away to be gone; on a busy machine a program may rest in the middle of a save.
const GRACE: Duration = Duration::from_millis(250);

/// How often to look meanwhile.
const LOOKS: u32 = 10;

/// Waits until every file that `project` was read from is there, or has stayed away; answers those that have.
///
/// What vanishes later is news of the next batch.
pub(super) async fn gone(project: &Project) -> BTreeSet<PathBuf> {
    let mut missing: BTreeSet<PathBuf> = files(project)
        .filter(|path| !path.exists())
        .map(Path::to_owned)
        .collect();
    for _look in 0..LOOKS {
        if missing.is_empty() {
            break;
        }
        sleep(GRACE / LOOKS).await;
        missing.retain(|path| !path.exists());
    }
    missing
}

fn files(project: &Project) -> impl Iterator<Item = &Path> {
    let entities = project.entities.iter();
    let entities = entities.flat_map(|entity| [Some(&entity.path), entity.extended_by.as_ref()]);
    let functions = project.functions.iter();
    let functions =
        functions.flat_map(|function| [Some(&function.entry), function.config.as_ref()]);
    entities.chain(functions).flatten().map(PathBuf::as_path)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::gone;
    use crate::project;

    #[tokio::test]
    async fn a_file_that_comes_back_was_not_gone() {
        let folder = tempfile::tempdir().unwrap();
        let entities = folder.path().join("base44/entities");
        fs::create_dir_all(&entities).unwrap();
        fs::write(folder.path().join("base44/config.jsonc"), r#"{"name":"x"}"#).unwrap();
        for name in ["replaced", "deleted", "same"] {
            fs::write(entities.join(format!("{name}.jsonc")), "{}").unwrap();
        }
        let project = project::read(folder.path()).unwrap();
        assert!(gone(&project).await.is_empty());

        let root = &project.layout.root;
        let at = |name: &str| root.join("base44/entities").join(name);
        fs::remove_file(at("deleted.jsonc")).unwrap();
        fs::rename(at("replaced.jsonc"), at("draft")).unwrap();
        let back = async { fs::rename(at("draft"), at("replaced.jsonc")) };
        let (gone, back) = tokio::join!(gone(&project), back);
        back.unwrap();
        assert_eq!(gone, [at("deleted.jsonc")].into());
    }
}
