//! Scripts that fill the heap. V8's heaps of this process are limited to 96 MiB (see `support`).

mod support;

use std::path::Path;
use std::sync::Arc;

use support::{Plan, echo_server, groups};
use ws_js::{Log, Main, Record, Script, ScriptOptions};
use ws_metrics::{Registry, TagSets};

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
    let text = outcome.text();
    assert_eq!(text.len(), 1, "{name}: {text:?}");
    assert!(text[0].starts_with("script ran out of memory (VU 1, limit "), "{name}: {text:?}");
    assert!(text[0].ends_with(" MiB)"), "{name}: {text:?}");
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
fn so_is_one_that_keeps_array_buffers() {
    out_of_memory("buffers", "for (;;) hoard.push(new Uint8Array(1e8));");
    out_of_memory(
        "buffers, caught",
        "for (;;) { try { hoard.push(new ArrayBuffer(1e8)); } catch (e) { console.log(e); } }",
    );
}

#[test]
fn a_buffer_that_cannot_be_had_is_a_range_error() {
    let script = "
        export default function () {
          for (let i = 0; i < 3; i++) {
            try { new ArrayBuffer(1e15); } catch (e) { console.log(e instanceof RangeError, String(e)); }
          }
          // Garbage is no reason to end anyone.
          let last;
          for (let i = 0; i < 300; i++) last = new Uint8Array(1e8);
          console.log(last.length);
        }";
    let outcome = Plan::new(script).vus(1).iterations(1).run();
    let refused = "true RangeError: Array buffer allocation failed";
    assert_eq!(outcome.text(), [refused, refused, refused, "100000000"]);
    assert_eq!((outcome.complete, outcome.failed), (1, 0));
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
    let error = loaded.err().expect("it cannot be loaded").to_string();
    assert!(error.starts_with("script ran out of memory (limit "), "{error}");
}
