//! Scripts that fill the heap. V8's heaps of this process are limited to 96 MiB (see `support`).

mod support;

use std::path::Path;
use std::sync::Arc;

use support::{Plan, echo_server, groups};
use ws_js::{Log, Main, Record, Script, ScriptOptions};
use ws_metrics::{Registry, TagSets};

const TEXT: &str = "script ran out of memory";

/// VU 1 runs `body` in its first iteration; the others, and VU 1 after that, echo.
fn out_of_memory(name: &str, body: &str) {
    let (_server, url) = echo_server();
    let script = format!(
        r#"
        import ws from 'k6/ws';
        import {{ sleep }} from 'k6';
        function other() {{
          let got = 0;
          ws.connect(__ENV.URL, null, (socket) => {{
            socket.on('open', () => socket.send('x'));
            socket.on('message', (m) => {{ if (++got === 200) socket.close(); else socket.send(m); }});
          }});
          if (got !== 200) throw new Error('damaged');
        }}
        export default function () {{
          if (__VU !== 1 || __ITER > 0) return other();
          const hoard = [];
          let quiet = false;
          const fill = () => {{ for (;;) hoard.push(new Array(1000).fill(hoard.length)); }};
          try {{ {body} }} catch (e) {{ console.log('caught', e); }} finally {{ if (!quiet) console.log('finally'); }}
        }}
        "#
    );
    let vus = groups() + 1;
    let outcome = Plan::new(script).vus(vus).env("URL", &url).iterations(3).run();
    assert_eq!(outcome.text(), [TEXT], "{name}");
    let all = 3 * vus as u64;
    assert_eq!((outcome.complete, outcome.failed, outcome.interrupted), (all - 1, 1, 0), "{name}");
    assert_eq!(outcome.count("iterations"), all as f64, "{name}");
}

#[test]
fn a_script_that_fills_the_heap_is_ended_and_nobody_else() {
    out_of_memory("the function itself", "fill();");
    out_of_memory("a handler", "ws.connect(__ENV.URL, (s) => s.on('open', fill));");
    out_of_memory(
        "an inner session",
        "ws.connect(__ENV.URL, (s) => s.on('open', () => { ws.connect(__ENV.URL, (t) => t.on('open', fill)); }));",
    );
    out_of_memory("after a sleep", "sleep(0.01); fill();");
    out_of_memory("a reaction", "quiet = true; (async () => { await 1; fill(); })();");
    out_of_memory("one large array", "const parts = []; for (;;) parts.push(new Array(4e6).fill(1.5));");
    out_of_memory("strings", "let s = 'x'; for (;;) hoard.push((s += hoard.length).split('').join('-'));");
    out_of_memory(
        "an endless catch",
        "for (;;) { try { fill(); } catch (e) { console.log('caught'); } finally { hoard.push(1); } }",
    );
}

#[test]
fn an_init_stage_that_fills_the_heap_says_so() {
    struct Silent;
    impl Log for Silent {
        fn write(&self, _: &Record<'_>) {}
    }
    // Starts V8 with this file's flags.
    Plan::new("export default function () {}").run();
    let source =
        "const hoard = []; for (;;) hoard.push(new Array(1000).fill(1)); export default function () {}";
    let loaded = Script::load(ScriptOptions {
        main: Main::from_source(Path::new("/script.js"), source.to_owned()).unwrap(),
        env: Default::default(),
        mode: Default::default(),
        registry: Arc::new(Registry::new()),
        tag_sets: Arc::new(TagSets::new()),
        log: Arc::new(Silent),
    });
    assert_eq!(loaded.err().map(|error| error.to_string()).as_deref(), Some(TEXT));
}
