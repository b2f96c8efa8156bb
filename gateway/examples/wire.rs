//! scratch
use proto::{client::*, v1::*};
#[tokio::main]
async fn main() {
    let a: Vec<String> = std::env::args().collect();
    if a.len() > 4 {
        let runner = RunnerClient::new(&a[2], None).unwrap();
        for n in 0..8 {
            let path = "/tmp/fnproj/base44/functions/hello/entry.ts";
            std::fs::write(path, format!("// {n}\nDeno.serve(async (req) => Response.json({{ n: {n}, body: await req.text() }}));\n")).unwrap();
            let r = runner.files_changed(FilesChangedRequest { paths: vec![path.into()] }).await.unwrap();
            eprintln!("{r:?}");
            tokio::time::sleep(std::time::Duration::from_millis(700)).await;
        }
        return;
    }
    let store = StoreClient::new(&a[1], None).unwrap();
    let gw = GatewayClient::new(&a[3], None).unwrap();
    let schema = br#"{"name":"Task","type":"object","properties":{"title":{"type":"string"},"done":{"type":"boolean","default":false},"n":{"type":"number"}},"required":["title"]}"#;
    store.apply_schemas(ApplySchemasRequest { schemas: vec![EntitySchema { name: "Task".into(), schema_json: schema.as_slice().into(), source: "t".into() }], strict: false }).await.unwrap();
    store.seed_user(SeedUserRequest { email: "dev@example.com".into(), full_name: "Dev".into(), app_id: "local".into() }).await.unwrap();
    let runner = RunnerClient::new(&a[2], None).unwrap();
    let f = |n: &str| Function { name: n.into(), entry: format!("/tmp/fnproj/base44/functions/{n}/entry.ts"), source: format!("base44/functions/{n}/entry.ts") };
    runner.apply_functions(ApplyFunctionsRequest { functions: vec![f("hello"), f("email/send"), f("stream"), f("boom")], project_root: "/tmp/fnproj".into(), environment: [("PATH".to_owned(), "/usr/bin:/bin".to_owned()), ("HOME".to_owned(), "/root".to_owned())].into(), deno: "/tmp/denobin/node_modules/@deno/linux-x64-glibc/deno".into(), ..Default::default() }).await.unwrap();
    gw.configure(ConfigureRequest { store_address: a[1].clone(), runner_address: a[2].clone(), app_id: "local".into(), signing_key: vec![5; 32].into(), developer_email: "dev@example.com".into(), upstream_off_reason: "not linked".into(), ..Default::default() }).await.unwrap();
}
