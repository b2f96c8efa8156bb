//! The shapes in which a function may offer its handler, and what it finds around it.

use crate::project::Project;

/// Each answers `ok` when all is well.
const SHAPES: &[(&str, &str)] = &[
    ("plain", "Deno.serve(() => new Response('ok'))"),
    (
        "options",
        "Deno.serve({ port: 1, hostname: '9.9.9.9', onListen() { throw 1 } }, () => new Response('ok'))",
    ),
    (
        "object",
        "Deno.serve({ handler: async () => new Response('ok') })",
    ),
    ("default", "export default () => new Response('ok')"),
    (
        "fetch",
        "export default { text: 'ok', fetch() { return new Response(this.text) } }",
    ),
    (
        "both",
        "Deno.serve(() => new Response('ok')); export default () => new Response('default')",
    ),
    (
        "late",
        "(async () => { await 0; Deno.serve(() => new Response('ok')) })()",
    ),
    (
        "bom",
        "\u{feff}export default (req: Request): Response => new Response('ok')",
    ),
    (
        "a/b",
        "Deno.serve((req) => new Response(new URL(req.url).pathname === '/a/b' ? 'ok' : req.url))",
    ),
    (
        "info",
        "Deno.serve((_, info) => new Response(info.remoteAddr.hostname === '127.0.0.1' ? 'ok' : 'no'))",
    ),
    (
        "server",
        "const s = Deno.serve(() => new Response('ok')); s.ref(); s.unref(); if (!s.addr.port || !s.finished || !s.shutdown) throw 1",
    ),
    (
        "finished",
        "await Deno.serve(() => new Response('ok')).finished",
    ),
    (
        "runtime",
        "import { secrets, waitUntil } from 'base44:runtime'; const p = Promise.resolve();
             if (waitUntil(p) !== p || secrets.get('NOPE') !== undefined) throw 1;
             Deno.serve(() => new Response(secrets.get('HOME') ? 'ok' : 'no'))",
    ),
    (
        "node",
        "import { createHash } from 'node:crypto'; createHash('sha256'); export default () => new Response('ok')",
    ),
    (
        "clean",
        "const own = Object.keys(Deno.env.toObject()).filter((k) => k.startsWith('BACKLOT')); Deno.serve(() => new Response(own.join() || 'ok'))",
    ),
    (
        "temp",
        "Deno.serve(async () => { const f = await Deno.makeTempFile(); await Deno.writeTextFile(f, 'ok'); return new Response(await Deno.readTextFile(f)) })",
    ),
];

#[tokio::test]
async fn every_handler_shape_serves() {
    let Some(project) = Project::new(SHAPES).await else {
        return;
    };
    for (name, _) in SHAPES {
        assert_eq!(project.get(name).await, (200, "ok".to_owned()), "{name}");
    }
    project.stop().await;
}

#[tokio::test]
async fn the_projects_own_settings_do_not_apply() {
    let code = "import x from './x.js'; export default () => new Response(x)";
    let Some(project) = Project::new(&[("f", code)]).await else {
        return;
    };
    project.write(
        "package.json",
        r#"{"type":"commonjs","dependencies":{"nope":"9.9.9"}}"#,
    );
    project.write(
        "deno.json",
        r#"{"imports":{"./x.js":"./y.js"},"nodeModulesDir":"manual"}"#,
    );
    project.write("base44/functions/f/x.js", "export default 'ok'");
    assert_eq!(project.get("f").await, (200, "ok".to_owned()));
    project.stop().await;
}

/// What does not load, and part of what is said of it.
const UNLOADABLE: [(&str, &str, &str); 11] = [
    (
        "none",
        "export const handler = 1",
        "The function must export default a request handler or call Deno.serve()",
    ),
    (
        "throws",
        "\nconst x: number = 1;\nthrow new Error('boom')",
        "boom (base44/functions/throws/entry.ts:3:7)",
    ),
    (
        "syntax",
        "let a = 1;\nconst x = (;",
        "base44/functions/syntax/entry.ts:2:12",
    ),
    (
        "missing",
        "import './nope.ts'",
        "base44/functions/missing/nope.ts",
    ),
    (
        "bare",
        "import x from 'lodash'",
        "base44/functions/bare/entry.ts\"; import it as \"npm:lodash\" (base44/functions/bare/entry.ts:1:15)",
    ),
    (
        "rejects",
        "Promise.reject(new Error('lost')); Deno.serve(() => new Response())",
        "Uncaught (in promise) Error: lost",
    ),
    ("exits", "Deno.exit(3)", "exit status: 3"),
    (
        "later",
        "setTimeout(() => { throw new TypeError('bang') }); await new Promise(() => {})",
        "TypeError: bang",
    ),
    ("sub", "import 'base44:runtime/x'", "base44:runtime/x"),
    (
        "runs",
        "new Deno.Command('ls').outputSync()",
        "`--function-permissions all` allows it",
    ),
    (
        "links",
        "new Deno.Command('ls', { env: { LD_PRELOAD: 'x' } }).outputSync()",
        "`--function-permissions all` allows it",
    ),
];

#[tokio::test]
async fn what_does_not_load_is_explained_with_its_place() {
    let functions = UNLOADABLE.map(|(name, code, _)| (name, code));
    let Some(project) = Project::new(&functions).await else {
        return;
    };
    let root = project.root().display().to_string();
    for (name, _, expected) in UNLOADABLE {
        let failure = proto::Failure::from(project.acquire(name).await.unwrap_err());
        assert_eq!(failure.code(), proto::Code::FunctionFailed, "{name}");
        let message = failure.message();
        assert!(message.contains(expected), "{name}: {message}");
        assert!(!message.contains(&root), "{name}: {message}");
        assert!(project.printed(name, "failed to start"), "{name}");
    }
    assert!(
        project.printed("throws", "3 | throw new Error('boom')"),
        "{:#?}",
        project.lines("throws")
    );
    // A parser draws the line as well.
    for (name, code, times) in [("syntax", "2 | const x = (;", 1), ("none", "|", 0)] {
        let lines = project.lines(name);
        let drawn = lines.iter().filter(|line| line.message.contains(code));
        assert_eq!(drawn.count(), times, "{lines:#?}");
    }
    project.stop().await;
}

#[tokio::test]
async fn the_code_of_an_error_is_shown_as_it_is_edited() {
    let code = "\u{feff}const a = 1;\r\nthrow new Error('boom');\r\n";
    let Some(project) = Project::new(&[("f", code)]).await else {
        return;
    };
    project.acquire("f").await.unwrap_err();
    let lines = project.lines("f").into_iter().map(|line| line.message);
    let expected = [
        "1 | const a = 1;",
        "2 | throw new Error('boom');",
        "  |       ^",
    ];
    let shown: Vec<_> = lines.skip(1).take(expected.len()).collect();
    assert_eq!(shown, expected);
    project.stop().await;
}

#[tokio::test]
async fn an_error_of_the_users_outside_of_a_request_is_shown_without_our_own_frames() {
    let code = "Deno.serve(() => { Promise.reject(new Error('lost')); return new Response('ok') })";
    let Some(project) = Project::new(&[("f", code)]).await else {
        return;
    };
    assert_eq!(project.get("f").await.0, 200);
    crate::project::eventually("the end is told", async || {
        project.printed("f", "process ended")
    })
    .await;
    assert!(project.printed("f", "Uncaught (in promise) Error: lost"));
    assert!(project.printed("f", "base44/functions/f/entry.ts:1:35"));
    for inner in ["bootstrap.js", "ext:"] {
        assert!(!project.printed("f", inner), "{:#?}", project.lines("f"));
    }
    project.stop().await;
}

#[tokio::test]
async fn a_thrown_error_is_answered_in_the_products_shape_and_logged_with_its_stack() {
    let code = "function deep() {\n  throw new TypeError('boom')\n}\nDeno.serve(() => { deep() })";
    let Some(project) = Project::new(&[
        ("f", code),
        ("none", "Deno.serve(() => undefined)"),
        ("mine", "Deno.serve({ onError: (e) => new Response(e.message, { status: 418 }) }, () => { throw new Error('tea') })"),
        ("file", "Deno.serve(() => Deno.readTextFile(import.meta.dirname + '/nope'))"),
    ])
    .await
    else {
        return;
    };
    let url = project.url("f").await;
    let request = project.client.post(url).header("x-request-id", "r1");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 500);
    let body: serde_json::Value = response.json().await.unwrap();
    let message = "Function \"f\" threw TypeError: boom (base44/functions/f/entry.ts:2:9)";
    let expected = serde_json::json!({
        "message": message, "detail": message, "error_type": "FunctionError",
        "request_id": "r1", "traceback": "", "error": message,
    });
    assert_eq!(body, expected);
    crate::project::eventually("the stack is logged", async || {
        project.printed("f", "Uncaught TypeError: boom") && project.printed("f", "/entry.ts:2:9)")
    })
    .await;
    assert!(
        !project.printed("f", "bootstrap.js"),
        "{:#?}",
        project.lines("f")
    );

    let (status, body) = project.get("none").await;
    assert_eq!(status, 500);
    assert!(
        body.contains("the handler must return a Response, not undefined"),
        "{body}"
    );
    assert_eq!(project.get("mine").await, (418, "tea".to_owned()));
    let (_, body) = project.get("file").await;
    let root = project.root().display().to_string();
    assert!(
        body.contains("base44/functions/file/nope") && !body.contains(&root),
        "{body}"
    );
    project.stop().await;
}

#[tokio::test]
async fn what_is_thrown_without_being_an_error_is_one_line_and_every_error_has_its_request() {
    let Some(project) = Project::new(&[
        (
            "thrown",
            "Deno.serve(() => { throw { a: 1, b: { c: 'text' } } })",
        ),
        (
            "used",
            "const once = new Response('once'); Deno.serve(() => once)",
        ),
    ])
    .await
    else {
        return;
    };
    let (_, body) = project.get("thrown").await;
    assert!(
        body.contains("threw { a: 1, b: { c: \\\"text\\\" } }\""),
        "{body}"
    );

    let used = project
        .client
        .get(project.url("used").await)
        .header("x-request-id", "r2");
    assert_eq!(
        used.try_clone().unwrap().send().await.unwrap().status(),
        200
    );
    let body: serde_json::Value = used.send().await.unwrap().json().await.unwrap();
    assert_eq!(body["request_id"], "r2", "{body}");
    project.stop().await;
}
