//! What functions import from elsewhere, fetched once and with the developer told.

use reqwest::Method;
use serde_json::json;
use tests::{
    http::Answer,
    project::Project,
    tools::Clients,
    wait::{PATIENCE, eventually, that},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::{offline, project_with};

/// Serves one module under every address; its own address.
async fn module(text: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let head =
                "HTTP/1.1 200 OK\r\ncontent-type: application/typescript\r\nconnection: close\r\n";
            let answer = format!("{head}content-length: {}\r\n\r\n{text}", text.len());
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    format!("http://{address}/module.ts")
}

#[tokio::test]
async fn packages_and_modules_of_the_web_are_imported_and_their_download_is_told() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let url = module("export const word: string = 'from the web';").await;
    let web = format!("import {{ word }} from '{url}'; export default () => new Response(word);");
    let package =
        "import ms from 'npm:ms@2.1.3'; export default () => new Response(String(ms('2h')));";
    let project = project_with(&[("web", &web), ("package", package)])
        // Deployed functions have neither.
        .file(
            "package.json",
            r#"{ "type": "commonjs", "dependencies": { "ms": "0.0.0-none" } }"#,
        )
        .file(
            "deno.json",
            r#"{ "imports": { "npm:ms@2.1.3": "./nothing.js" }, "nodeModulesDir": "manual" }"#,
        );
    let launch = offline(&project, &clients).env("DENO_DIR", project.user("cache").join("deno"));
    let mut server = launch.start().await;
    for (name, text) in [("web", "from the web"), ("package", "7200000")] {
        assert_eq!(
            server.get(&format!("/functions/{name}")).await.text,
            text,
            "{}",
            server.output().text()
        );
        for what in ["downloading dependencies", "downloaded "] {
            eventually("the download is told", PATIENCE, async || {
                let output = server.output();
                let mut lines = output.stderr.iter();
                let told = lines.any(|line| line.starts_with(name) && line.contains(what));
                that(told, output.text())
            })
            .await;
        }
    }
    assert_eq!(server.interrupt().await, 0);
    // They are kept.
    let mut server = launch.start().await;
    assert_eq!(server.get("/functions/package").await.text, "7200000");
    assert_eq!(server.interrupt().await, 0);
    assert!(
        !server.output().says("downloading"),
        "{}",
        server.output().text()
    );
}

#[tokio::test]
async fn a_plugin_beside_the_project_runs_and_is_followed_like_the_projects_own_code() {
    let Some(clients) = Clients::get().await else {
        return;
    };
    let price = |number: u32| format!("export const price = {number};");
    let buy = "import { price } from '../../shared/price.ts';
        export default (request: Request) => {
            if (request.method === 'PUT') throw new Error('sold out');
            return Response.json(price);
        };";
    let project = Project::empty()
        .config(&json!({ "name": "Under test", "plugins": [{ "source": "../../shop" }] }))
        .file(
            "../shop/base44/config.jsonc",
            &json!({ "name": "Shop", "plugin": { "namespace": "shop" } }).to_string(),
        )
        .file("../shop/base44/shared/price.ts", &price(1))
        .file("../shop/base44/functions/buy/entry.ts", buy);
    let server = offline(&project, &clients).start().await;
    assert_eq!(server.get("/functions/shop__buy").await.expect(200), 1);
    let failed = server.request(Method::PUT, "/functions/shop__buy");
    let failed = Answer::to(failed).await.expect(500);
    let place = "(../shop/base44/functions/buy/entry.ts:3:";
    assert!(failed.to_string().contains(place), "{failed}");
    project.save("../shop/base44/shared/price.ts", &price(2));
    eventually("the new price is asked", PATIENCE, async || {
        let answer = server.get("/functions/shop__buy").await;
        that(answer.status == 200 && answer.text == "2", answer.text)
    })
    .await;
    project.save("../shop/base44/functions/buy/entry.ts", "const = 1;");
    server.says("1 | const = 1;").await;
}
