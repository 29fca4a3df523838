//! The differential test: every script of the corpus must look the same when run by `ws`, when run by k6, and as
//! it is written down next to the script.
//!
//! k6 is the program that `WS_TEST_K6` names, else the one on `PATH`; without one that half is skipped, visibly.
//! With `WS_TEST_BLESS=1` what k6 does is written down anew.

use std::sync::OnceLock;

use ws_e2e::corpus::Script;
use ws_e2e::lines::difference;
use ws_e2e::server::TestServer;
use ws_e2e::tool::{self, Tool};

/// One server for all scripts, as long as the process lives.
fn server() -> &'static TestServer {
    static SERVER: OnceLock<TestServer> = OnceLock::new();
    SERVER.get_or_init(|| TestServer::start().expect("a free port on the loopback interface"))
}

fn observe(script: &Script, tool: &Tool) -> String {
    match script.observe(tool, server()) {
        Ok(observation) => observation.to_string(),
        Err(error) => panic!("{} on {}: {error:#}", tool.name(), script.name),
    }
}

fn compare(name: &str) {
    let script = Script::load(name).unwrap_or_else(|error| panic!("{error:#}"));
    let blessing = std::env::var_os("WS_TEST_BLESS").is_some();
    if let (true, Some(k6)) = (blessing, tool::k6()) {
        if script.excludes(k6).is_none() {
            std::fs::write(script.expected_path(), observe(&script, k6)).expect("the corpus can be written");
        }
        return;
    }
    let expected = std::fs::read_to_string(script.expected_path())
        .unwrap_or_else(|error| panic!("{}: {error}", script.expected_path().display()));
    let check = |tool: &Tool| {
        if let Some(reason) = script.excludes(tool) {
            return ws_e2e::skip_comparison(name, &reason);
        }
        let found = observe(&script, tool);
        let tool = tool.name();
        let differs = difference(&expected, &found);
        assert!(differs.is_empty(), "{tool} does otherwise than expected:\n{differs}\n\nall of it:\n{found}");
    };
    match tool::k6() {
        Some(k6) => check(k6),
        None => ws_e2e::skip_comparison(name, tool::NO_K6),
    }
    check(tool::ws());
}

macro_rules! corpus {
    ($($name:ident)*) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];
        $(
            #[test]
            fn $name() {
                compare(stringify!($name));
            }
        )*
    };
}

corpus! {
    async_default
    async_loop
    big_messages
    binary
    blocked
    blocked_ranges
    burst
    checks_groups
    close_codes
    close_in_callback
    close_in_close_handler
    close_twice
    compatibility_base
    compression
    compression_errors
    compression_options
    compression_throw
    connect_arguments
    console_levels
    console_objects
    constant_arrival_rate
    cookie_jar
    cookie_jar_param
    cookies
    cookies_kept
    cookies_secure
    crypto_encoding
    custom_metrics
    custom_metrics_init
    custom_metrics_throw
    dns_bad
    dns_options
    dns_policy
    endless_loop
    env_changes
    environment
    events_order
    exception_in_close
    exception_in_error
    exception_in_handler
    exception_kinds
    exception_uncaught
    failed_dials
    failed_dials_extension
    finalization
    fragments
    global
    group_tags_of_socket
    groups_root
    handle_summary
    handle_summary_after_failure
    handle_summary_async
    handle_summary_bad_content
    handle_summary_not_a_function
    handle_summary_not_a_map
    handle_summary_nothing
    handle_summary_off
    handle_summary_rejected
    handle_summary_stray_rejection
    handle_summary_throws
    handle_summary_timeout
    handle_summary_unwritable
    handlers
    headers
    hosts
    http_failures
    http_many
    http_responses
    init_context
    init_runs
    interrupted
    local_ips
    local_ips_foreign
    modules
    nested_connect
    no_default
    no_setup_no_teardown
    options_env
    options_hosts
    options_not_finite
    options_not_finite_deep
    options_precedence
    options_script
    options_unknown
    params_tags
    per_vu_state
    ping_pong
    promise_rejected
    promises
    ramping_arrival_rate
    ramping_vus
    random_seed
    require_builtin
    scenarios
    send_after_close
    send_binary_errors
    send_binary_null_prototype
    send_kinds
    send_throws
    server_close
    server_fin
    server_ping
    server_reset
    sessions_in_turn
    setup_data_kinds
    setup_teardown
    setup_throws
    setup_timeout
    setup_undefined
    shared_array
    sleep
    sleep_beyond
    socket_object
    stages
    strict_utf8
    subprotocol
    system_tag_ip
    teardown_throws
    teardown_timeout
    text_bytes
    thresholds_abort
    thresholds_abort_delayed
    thresholds_bad
    thresholds_bad_method
    thresholds_fail
    thresholds_ignored
    thresholds_malformed
    thresholds_pass
    throw_option
    throw_uncaught
    timer_errors
    timers
    timers_fail
    timers_global
    timers_init
    timers_intervals
    timers_nested
    unsolicited_pong
    user_agent
    violation_close_codes
    violations
    web_crypto
    websockets_after_close
    websockets_arguments
    websockets_await
    websockets_beside_ws
    websockets_binary_type
    websockets_blob
    websockets_blob_clamped
    websockets_blob_messages
    websockets_blocking
    websockets_buffered
    websockets_checks
    websockets_close_arguments
    websockets_close_reasons
    websockets_compression
    websockets_cookies
    websockets_echo
    websockets_event_objects
    websockets_exceptions
    websockets_failed_dials
    websockets_handlers_replaced
    websockets_headers
    websockets_init
    websockets_instance
    websockets_interrupted
    websockets_json
    websockets_left_open
    websockets_listeners
    websockets_microtasks
    websockets_param_errors
    websockets_phases
    websockets_ping
    websockets_rejections
    websockets_send
    websockets_server_closes
    websockets_setup_throws
    websockets_states
    websockets_tags
    websockets_texts
    websockets_throws
    websockets_two
    websockets_urls
    websockets_wind_down
}

#[test]
fn every_script_is_a_test() {
    assert_eq!(Script::names().expect("the corpus can be read"), NAMES);
}
