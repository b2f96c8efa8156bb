//! Watching real folders, through the system and by looking.

use std::{fs, path::Path, time::Duration};

use tokio::time::timeout;

use super::{Batch, Means, Watch};
use crate::project::{Layout, read_layout};

struct Fixture {
    _folder: tempfile::TempDir,
    layout: Layout,
    watch: Watch,
}

impl Fixture {
    fn of(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("base44/entities")).unwrap();
        fs::write(folder.path().join("base44/config.jsonc"), config).unwrap();
        let layout = read_layout(folder.path()).unwrap().value;
        let mut watch = Watch::new();
        assert_eq!(watch.follow(&layout), None);
        Self {
            _folder: folder,
            layout,
            watch,
        }
    }

    fn plain() -> Self {
        Self::of(r#"{"name":"x"}"#)
    }

    /// The same, by looking.
    fn polled() -> Self {
        let mut fixture = Self::plain();
        fixture.watch.means = fixture.watch.poll("this test wants it");
        let told = fixture.watch.follow(&fixture.layout).unwrap();
        assert!(told.ends_with("this test wants it"), "{told}");
        assert_eq!(fixture.watch.follow(&fixture.layout), None, "told once");
        fixture
    }

    async fn next(&mut self) -> Batch {
        timeout(Duration::from_secs(60), self.watch.changed())
            .await
            .expect("a batch")
    }

    /// Batches until one has `path` or a folder that it lies in.
    async fn until_below(&mut self, path: &Path) {
        while !self
            .next()
            .await
            .paths
            .iter()
            .any(|seen| path.starts_with(seen))
        {
            let _ = self.watch.follow(&self.layout);
        }
    }

    /// Batches until one has `path`.
    async fn until(&mut self, path: &Path) {
        loop {
            let batch = self.next().await;
            assert!(!batch.lost, "{batch:?}");
            if batch.paths.contains(path) {
                break;
            }
            let _ = self.watch.follow(&self.layout);
        }
        let _ = self.watch.follow(&self.layout);
    }
}

fn save(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let draft = path.with_extension("draft");
    fs::write(&draft, "{}").unwrap();
    fs::rename(draft, path).unwrap();
}

#[tokio::test]
async fn saving_by_rename_is_seen() {
    for mut fixture in [Fixture::plain(), Fixture::polled()] {
        let task = fixture.layout.entities_dir().join("task.jsonc");
        save(&task);
        // The draft alone comes before, where a look or a pause falls between the two.
        fixture.until(&task).await;
    }
}

#[tokio::test]
async fn folders_may_appear_vanish_and_come_back() {
    for mut fixture in [Fixture::plain(), Fixture::polled()] {
        let functions = fixture.layout.functions_dir();
        for _again in 0..2 {
            let entry = functions.join("hello/entry.ts");
            fs::create_dir_all(entry.parent().unwrap()).unwrap();
            fs::write(&entry, "1").unwrap();
            let appeared = fixture.next().await;
            assert!(
                appeared.paths.iter().any(|path| entry.starts_with(path)),
                "{appeared:?}"
            );
            let _ = fixture.watch.follow(&fixture.layout);
            save(&entry);
            fixture.until(&entry).await;
            fs::remove_dir_all(&functions).unwrap();
            let gone = fixture.next().await;
            assert!(
                gone.paths.iter().any(|path| path.starts_with(&functions)),
                "{gone:?}"
            );
            let _ = fixture.watch.follow(&fixture.layout);
        }
    }
}

#[tokio::test]
async fn the_whole_configuration_folder_may_be_replaced() {
    let mut fixture = Fixture::plain();
    let config = fixture.layout.config_path.clone();
    fs::remove_dir_all(&fixture.layout.config_dir).unwrap();
    let _ = fixture.next().await;
    let _ = fixture.watch.follow(&fixture.layout);
    save(&config);
    let _ = fixture.next().await;
    let _ = fixture.watch.follow(&fixture.layout);
    save(&config);
    fixture.until(&config).await;
}

#[tokio::test]
async fn a_folder_deep_below_what_is_missing_is_seen_when_it_appears() {
    let mut fixture = Fixture::of(r#"{"name":"x","functionsDir":"../backend/deep/functions"}"#);
    let entry = fixture.layout.functions_dir().join("hello/entry.ts");
    save(&entry);
    let _ = fixture.next().await;
    let _ = fixture.watch.follow(&fixture.layout);
    save(&entry);
    fixture.until(&entry).await;
}

#[tokio::test]
async fn a_plugin_that_is_missing_is_seen_when_it_appears() {
    let mut fixture = Fixture::of(r#"{"name":"x","plugins":[{"source":"../shop"}]}"#);
    let config = fixture.layout.root.join("shop/base44/config.jsonc");
    save(&config);
    let appeared = fixture.next().await;
    assert!(
        appeared.paths.iter().any(|path| config.starts_with(path)),
        "{appeared:?}"
    );
}

#[tokio::test]
async fn reading_and_the_files_of_others_are_no_changes() {
    let mut fixture = Fixture::plain();
    let root = fixture.layout.root.clone();
    read_layout(&root).unwrap();
    fs::write(root.join("vite.config.timestamp"), "").unwrap();
    fs::create_dir(root.join("node_modules")).unwrap();
    let env = root.join(".env");
    fs::write(&env, "A=1").unwrap();
    assert_eq!(fixture.next().await.paths, [env].into());
}

#[tokio::test]
async fn what_functions_import_from_elsewhere_is_watched_and_the_files_beside_it_are_not() {
    for mut fixture in [Fixture::plain(), Fixture::polled()] {
        let root = fixture.layout.root.clone();
        let imported = root.join("src/lib/util.ts");
        let missing = root.join("src/not/yet.ts");
        save(&imported);
        fixture
            .watch
            .import([imported.clone(), missing.clone()].into());
        let _ = fixture.watch.follow(&fixture.layout);
        let page = root.join("src/lib/page.ts");
        fs::write(&page, "").unwrap();
        save(&imported);
        // That the folder came may be seen first.
        let mut seen = Batch::default().paths;
        while !seen.contains(&imported) {
            seen.extend(fixture.next().await.paths);
            let _ = fixture.watch.follow(&fixture.layout);
        }
        assert!(!seen.contains(&page), "{seen:?}");
        save(&missing);
        fixture.until_below(&missing).await;
    }
}

#[tokio::test]
async fn an_exhausted_system_is_replaced_by_looking() {
    let mut fixture = Fixture::plain();
    fixture.watch.noted.exhausted();
    assert!(fixture.next().await.lost);
    let told = fixture.watch.follow(&fixture.layout).unwrap();
    assert!(told.contains("twice a second"), "{told}");
    assert!(matches!(fixture.watch.means, Means::Poll(_)));
    let task = fixture.layout.entities_dir().join("task.jsonc");
    save(&task);
    fixture.until(&task).await;
}

#[tokio::test]
async fn a_folder_that_another_takes_the_place_of_is_watched_on() {
    let mut fixture = Fixture::plain();
    let (here, away) = (
        fixture.layout.config_dir.clone(),
        fixture.layout.root.join("away"),
    );
    for _again in 0..2 {
        fs::rename(&here, &away).unwrap();
        fs::rename(&away, &here).unwrap();
        let _ = fixture.next().await;
        let _ = fixture.watch.follow(&fixture.layout);
        let task = fixture.layout.entities_dir().join("task.jsonc");
        save(&task);
        fixture.until(&task).await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn what_several_links_lead_to_is_told_under_each_name_and_after_one_is_gone() {
    use std::os::unix::fs::symlink;

    let mut fixture = Fixture::plain();
    let root = fixture.layout.root.clone();
    let functions = fixture.layout.functions_dir();
    let saved = root.join("packages/x/util.ts");
    save(&saved);
    let links = ["a/lib", "b/lib"].map(|link| functions.join(link));
    for link in &links {
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(root.join("packages/x"), link).unwrap();
    }
    // Imported by its own name as well, for a while.
    fixture.watch.import([saved.clone()].into());
    fixture.until(&functions).await;
    save(&saved);
    fixture.until(&links[0].join("util.ts")).await;
    save(&saved);
    fixture.until(&links[1].join("util.ts")).await;
    fixture.watch.import([].into());
    fs::remove_file(&links[0]).unwrap();
    fixture.until(&links[0]).await;
    save(&saved);
    fixture.until(&links[1].join("util.ts")).await;
    // What it leads to may go and come.
    fs::remove_dir_all(root.join("packages")).unwrap();
    fixture.until(&links[1]).await;
    save(&saved);
    fixture.until(&links[1]).await;
}
