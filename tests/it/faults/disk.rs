//! A folder for temporary files that cannot be written: full, or gone.

use std::fs;

use reqwest::{
    Method,
    multipart::{Form, Part},
};
use tests::{http::Answer, project::Project, server::Server};

use super::serves;
use crate::backlot;

const UPLOAD: &str = "/api/apps/local/integration-endpoints/Core/UploadFile";

async fn upload(server: &Server, size: usize) -> Answer {
    let file = Part::bytes(vec![b'x'; size]).file_name("a.bin");
    let request = server.request(Method::POST, UPLOAD);
    Answer::to(request.multipart(Form::new().part("file", file))).await
}

#[tokio::test]
async fn an_upload_that_cannot_be_kept_is_refused_with_what_to_do_and_nothing_else_suffers() {
    let project = Project::new().with_tasks();
    let mut server = backlot(&project).start().await;
    let (folder, away) = (project.user("tmp"), project.user("elsewhere"));
    fs::rename(&folder, &away).unwrap();
    let refused = upload(&server, 100_000).await.expect(500);
    assert_eq!(refused["message"], "The file could not be stored");
    assert!(
        refused["hint"].as_str().unwrap().contains("TMPDIR"),
        "{refused}"
    );
    server.says(&format!("in {}: ", folder.display())).await;
    serves(&server).await;

    fs::rename(&away, &folder).unwrap();
    let kept = upload(&server, 100_000).await.expect(200);
    let url = kept["file_url"].as_str().unwrap();
    let path = url.strip_prefix(server.url()).unwrap();
    assert_eq!(server.get(path).await.text.len(), 100_000);

    // The folder of the files goes while it is in use.
    let media = project.entries_of_user("tmp").into_iter();
    for media in media.filter(|name| name.starts_with("backlot-media-")) {
        fs::remove_dir_all(folder.join(media)).unwrap();
    }
    let gone = server.get(path).await;
    assert_eq!(gone.expect(500)["message"], "The file cannot be read");
    assert_eq!(upload(&server, 1).await.status, 200);
    serves(&server).await;
    assert_eq!(server.interrupt().await, 0);
}
