//! What must never happen, what the gate does instead, and the tests that show it.
//!
//! Every row is a fault that a real system of this kind has had; the last words of a row say where. Tests go
//! through the core or through an adapter: a layer, a server, the program or the Python package; several where one does
//! not show the whole of it. A dialogue in
//! `tests/vectors` is told by every driver, the core among them. The paths are those of the project's repository.
//!
//! # Redirects
//!
//! - **t01**: `next` becomes a redirect only as a `LocalPath`: the raw value is ASCII without controls or `\`, one leading
//!   `/`, kept byte for byte (query and fragment too); its path part, decoded as often as anyone might, is only *judged*:
//!   inside the mount, never an authority (`//`, `/\`, `/.//`), never above it. Checked again at POST; a bad one falls back
//!   to the mount's home. `/ops/queues/caf%C3%A9` and `/ops/queues/%2Fx` are good. *Seen in: open redirect in AsyncMQ's
//!   login; CVE-2020-11053, CVE-2020-4037, CVE-2024-21497, CVE-2026-12049.*
//!   - core: `core/tests/stories/forms.rs`, `t01_a_hostile_next_leads_home`
//!   - adapter: `tests/python/test_sign_in.py`, `test_t01_the_posted_way_back_is_checked_too`
//! - **t02**: path *and* query survive login: `/queues/a%26b?page=2` comes back exactly; nothing in them can add a
//!   parameter to the login URL. *Seen in: truncated, unescaped `?next=`.*
//!   - core: `core/tests/stories/forms.rs`, `t02_a_deep_link_comes_back_byte_for_byte`
//!   - adapter: `tests/python/test_anonymous_pages.py`, `test_t02_the_way_back_survives_byte_for_byte`
//! - **t03**: no request can put CR, LF, NUL or non-ASCII into `Location`, `HX-Redirect` or any header: they are built from
//!   validated types. *Seen in: raw CRLF in `HX-Redirect`.*
//!   - core: `tests/vectors/next.toml`, `t03_line_breaks_in_a_path_reach_no_header`
//!   - adapter: `tests/python/test_injection.py`, `test_t03_controls_in_the_page_that_htmx_names`
//! - **t04**: a mount prefix or root path such as `//evil.example`, or with a trailing slash, is refused or folded, never
//!   echoed. *Seen in: `Location: //evil.example/login`.*
//!   - core: `core/src/mount.rs`, `t04_a_mount_is_folded_or_refused_but_never_an_authority`
//!   - adapter: `python/tests/test_paths.py`, `test_t04_a_root_that_is_an_authority_is_never_echoed`
//! - **t05**: HTMX: `next` is the page the person sees (`HX-Current-URL`, same-origin only), not the fragment's URL. *Seen
//!   in: fragment shown after login.*
//!   - core: `tests/vectors/answers.toml`, `t05_htmx_is_led_from_the_page_that_the_person_sees`
//!   - adapter: `adapters/tower/tests/stories/refusals.rs`, `t05_htmx_is_told_to_load_the_login_page`
//! - **t06**: an unauthenticated POST does not become a GET of the same URL after login. *Seen in: `next` of a POST.*
//!   - core: `tests/vectors/next.toml`, `t06_a_post_leads_back_to_the_page_it_came_from`
//!   - adapter: `adapters/tower/tests/stories/refusals.rs`, `t06_a_posted_form_leads_back_to_the_page_it_came_from`
//! - **t07**: a failed login answers 401, keeps `next` and the username, never the password. *Seen in: 200 and lost
//!   `next`.*
//!   - core: `core/tests/stories/answers.rs`, `t07_a_wrong_password_is_answered_as_it_was_asked`
//!   - adapter: `tests/vectors/sign_in.toml`, `t07_a_wrong_password_shows_the_form_again_with_the_username`
//!
//! # Coverage: every way in
//!
//! - **t08**: websockets are gated like pages (session or token, Origin, role), refused before accept; only lifespan passes
//!   ungated; an unknown scope type is refused. *Seen in: websockets bypass AsyncMQ's gate.*
//!   - core: `tests/vectors/answers.toml`, `t08_a_websocket_is_refused_before_it_is_accepted`
//!   - adapter: `adapters/tower/tests/stories/t18_ambient_proofs.rs`, `t08_a_websocket_of_another_site_is_refused`
//! - **t09**: public paths are *exact* or *prefix at a segment boundary*; never public if, in any round of decoding, a
//!   segment is `.` or `..` (before or after cutting at `;`), an escape yields `/ \ ? #` or a control character, or a
//!   segment is empty (one trailing slash allowed). Otherwise `;`, `%25`, spaces and dots inside a name are ordinary
//!   (`/static/a;b.css`, `/static/...`, `/static/x%20y.png` are public under `/static`). An empty entry is refused at
//!   construction. *Seen in: allowlist prefixes; CVE-2019-9901, CVE-2026-74909, CVE-2026-41059.*
//!   - core: `core/src/path.rs`, `t09_paths_that_two_readers_would_read_differently_are_not_plain`
//!   - adapter: `adapters/tower/tests/stories/refusals.rs`, `t09_no_spelling_makes_a_path_public`
//! - **t10**: the mount prefix is stripped at a segment boundary only (`/opslogin` is not `/login` under `/ops`). *Seen in:
//!   prefix slip.*
//!   - core: `core/src/mount.rs`, `t10_a_prefix_ends_at_a_segment_boundary`
//!   - adapter: `adapters/tower/tests/stories/refusals.rs`, `t10_nothing_outside_the_mount_is_passed_on`
//! - **t11**: the query, User-Agent and Host never decide whether a path is public. *Seen in: GHSA-7rh7-c77v-6434,
//!   GHSA-5hvv-m4w4-gf6v, CVE-2026-48710.*
//!   - core: `tests/vectors/paths.toml`, `t11_neither_user_agent_nor_host_make_a_path_public`
//!   - adapter: `tests/python/test_anonymous_pages.py`, `test_t11_the_host_never_decides_or_reaches_the_redirect`
//! - **t12**: probes and API callers get a status a machine can read, not 200 or 303 to HTML. *Seen in: "always ready"
//!   probes.*
//!   - core: `core/src/kind.rs`, `t12_whoever_cannot_read_html_is_not_sent_any`
//!   - adapter: `adapters/tower/tests/stories/refusals.rs`, `t12_a_program_gets_a_status_it_can_read`
//! - **t13**: a stream (SSE, websocket) ends when its admission expires or is revoked. *Seen in: streams outliving logout.*
//!   - core: `core/tests/stories/leases.rs`, `t13_a_stream_ends_at_once_when_its_user_signs_out_in_another_tab`
//!   - adapter: `adapters/tower/tests/stories/t13_streams_end.rs`, `t13_a_silent_stream_is_woken_to_end`
//! - **t14**: login and logout paths are public whatever they are called; a custom `login_path` cannot loop. *Seen in:
//!   redirect loop.*
//!   - core: `core/tests/stories/hosts.rs`, `t14_a_dashboard_s_own_login_page_is_open_whatever_it_is_called`
//!   - adapter: `tests/vectors/paths.toml`, `t14_the_login_path_is_public_whatever_it_is_called`
//!
//! # Cross-site
//!
//! - **t15**: login and logout are guarded against cross-site posts too, before the public-path check. (Drop-in
//!   `authenticate=` mode: a post to them with neither `Sec-Fetch-Site` nor `Origin` passes, as AsyncMQ's clients need; a
//!   foreign one is 403). *Seen in: login CSRF.*
//!   - core: `core/tests/stories/signing_out.rs`, `t15_another_site_signs_nobody_out`
//!   - adapter: `adapters/tower/tests/stories/t15_pages_of_a_backend.rs`,
//!     `t15_another_sites_form_never_reaches_the_backend`
//! - **t16**: signing out takes a POST; GET shows a button (the AsyncMQ drop-in backend keeps GET, as its routes do). *Seen
//!   in: GET logout.*
//!   - core: `core/tests/stories/signing_out.rs`, `t16_looking_shows_a_button_and_changes_nothing`
//!   - adapter: `tests/python/test_pages.py`, `test_t16_signing_out_is_never_a_mere_link`
//! - **t17**: safe methods are GET, HEAD, OPTIONS; every other method, known or not, any case, is guarded. *Seen in:
//!   deny-list of methods.*
//!   - core: `tests/vectors/origins.toml`, `t17_an_unknown_method_is_guarded`
//!   - adapter: `adapters/tower/tests/stories/t18_ambient_proofs.rs`, `t17_every_other_method_is_guarded`
//! - **t18**: `Sec-Fetch-Site` first (`same-origin` and `none` pass; `same-site` is foreign), then `Origin` parsed (scheme,
//!   host case-folded, default port), never compared as text; `null` is foreign; a cookie-authenticated unsafe request with
//!   neither header is refused. *Seen in: string compare; CVE-2025-24358, CVE-2025-47909.*
//!   - core: `core/src/cross_site.rs`, `t18_the_browsers_word_counts_first_and_then_the_origin`
//!   - adapter: `adapters/tower/tests/stories/t18_ambient_proofs.rs`, `t18_writing_needs_our_own_origin`
//! - **t19**: a request that authenticated by bearer token carries no ambient credential: no Origin needed (drop-in
//!   `authenticate=` mode keeps AsyncMQ's 403). *Seen in: API clients locked out.*
//!   - core: `tests/vectors/signing.toml`, `t19_a_token_needs_no_origin`
//!   - adapter: `adapters/tower/tests/stories/t18_ambient_proofs.rs`, `t19_a_bearer_token_is_nobodys_ambient_proof`
//! - **t20**: optional `allowed_hosts`; Host with `/ ? # @` or several Hosts is 400. *Seen in: DNS rebinding.*
//!   - core: `tests/vectors/hosts.toml`, `t20_two_hosts_are_refused`
//!   - adapter: `tests/python/test_raw_requests.py`, `test_t20_a_host_that_is_no_host_is_a_bad_request`
//!
//! # Proxies
//!
//! - **t21**: forwarded headers count only from a trusted peer (CIDR; v4-mapped v6 folded; unix socket only by name); none
//!   trusted by default; walked from the right; scheme ∈ http, https. *Seen in: leftmost X-Forwarded-Host; CVE-2026-40575,
//!   CVE-2026-35051, CVE-2026-54764.*
//!   - core: `core/src/forwarded.rs`, `t21_the_walk_starts_at_the_right_and_stops_at_the_first_stranger`
//!   - adapter: `adapters/tower/tests/stories/behind_routers_and_proxies.rs`, `t21_our_origin_is_what_a_trusted_proxy_says`
//! - **t22**: a header that grants identity is stripped from every other peer, with its aliases (`_`, `.`, case), and
//!   duplicates are refused; towards an upstream the session cookie is always stripped, `Authorization` unless asked for,
//!   and the user's id is percent-encoded. *Seen in: CVE-2025-64484, CVE-2026-39858, CVE-2026-88011.*
//!   - core: `core/tests/stories/passed_on.rs`,
//!     `t22_the_gate_alone_says_who_it_is_escaped_and_keeps_what_proves_it`
//!   - core: `core/tests/stories/passed_on.rs`, `t22_nothing_that_a_client_says_of_itself_arrives`
//!   - adapter: `adapters/tower/tests/stories/t22_identity.rs`, `t22_pretended_identities_are_stripped_and_nothing_else`
//!
//! # Sessions and login
//!
//! - **t23**: after sign-out the old cookie is worthless (record gone, or id revoked until its absolute end). Where the
//!   *host's* session holds the sign-in (the AsyncMQ drop-in backend), that is the host's cookie: documented. *Seen in:
//!   replayed cookie.*
//!   - core: `core/tests/stories/signing_out.rs`,
//!     `t23_an_old_cookie_is_worthless_for_as_long_as_it_could_have_lived`
//!   - adapter: `tests/several/test_one_sign_in.py`,
//!     `test_t23_one_sign_in_serves_at_every_process_and_one_sign_out_ends_it`
//! - **t24**: idle and absolute lifetime hold; renewal never passes the absolute end. *Seen in: 14 days sliding, forever.*
//!   - core: `core/tests/stories/lifetimes.rs`, `t24_a_session_ends_after_twelve_hours_however_much_it_is_used`
//!   - adapter: `python/tests/test_session_stores.py`, `test_t24_a_session_that_is_used_all_the_time_ends_at_last`
//! - **t25**: a new session id at every login, also from A to B; `create` fails on an id that exists. *Seen in: fixation;
//!   id collision.*
//!   - core: `core/tests/stories/fixation.rs`, `t25_every_sign_in_makes_a_new_session_and_ends_the_old_one`
//!   - adapter: `tests/python/test_sign_in.py`, `test_t25_a_cookie_that_was_planted_is_not_taken_over`
//! - **t26**: no secret given: one process gets a random one and a warning; a multi-worker server refuses to start. *Seen
//!   in: worker A's cookie fails on B.*
//!   - core: `core/tests/stories/rotation.rs`,
//!     `t26_gates_know_each_others_sessions_by_a_secret_that_they_were_given_and_by_none_else`
//!   - adapter: `tests/python/test_session_keys.py`, `test_t26_without_a_secret_it_warns_and_works`
//!   - adapter: `python/tests/test_servers.py`, `test_t26_several_workers_do_not_start_with_sessions_of_one_process`
//! - **t27**: `no-store` and `Vary: Cookie` on whatever a session touched. *Seen in: CVE-2023-30861, CVE-2026-27205.*
//!   - core: `core/src/response_fields.rs`, `t27_what_a_session_touched_is_kept_by_no_cache`
//!   - adapter: `python/tests/dropin/test_asyncmq_admin.py`,
//!     `test_t27_what_a_signed_in_user_sees_is_not_stored_and_static_files_are`
//! - **t28**: tries are limited per client network *and* per user, charged before asking, a success gives back its own
//!   charge only; bounded memory; strangers cannot lock the real user out. *Seen in: unlimited guesses; unbounded map.*
//!   - core: `core/src/throttle/mod.rs`, `t28_strangers_do_not_lock_out_a_network_that_signed_in_before`
//!   - adapter: `adapters/tower/tests/stories/signing_in.rs`, `t28_parallel_wrong_passwords_ask_no_more_than_the_budget`
//! - **t29**: form body, field and header sizes are capped before they are read; an unknown user costs the same hash as a
//!   known one; hashing never runs on the event loop. *Seen in: 2 MB password; CVE-2024-39329.*
//!   - core: `core/tests/stories/forms.rs`, `t29_what_cannot_be_a_form_is_refused_before_it_is_read`
//!   - core: `core/tests/stories/forms.rs`, `t29_a_body_that_is_no_whole_form_is_refused`
//!   - adapter: `adapters/tower/tests/stories/forms_that_are_none.rs`,
//!     `t29_an_endless_form_is_read_no_further_than_its_limit`
//!   - adapter: `adapters/users/src/user_file/tests.rs`,
//!     `t29_an_unknown_or_disabled_user_costs_as_much_as_the_costliest_known_one`
//!   - adapter: `tests/tests/off_the_loop.rs`, `t29_a_check_that_blocks_delays_nobody_on_tokio`
//! - **t30**: `verify` may be async, may raise, may return rubbish: the page says nothing, the log says all, nobody gets
//!   in. *Seen in: 500s.*
//!   - core: `core/tests/stories/outages.rs`, `t30_a_user_without_an_id_does_not_enter`
//!   - adapter: `adapters/tower/tests/stories/signing_in.rs`, `t30_a_check_that_panics_is_503_and_its_words_are_nobodys`
//! - **t31**: nobody is admin by default in the native API; only the configured claims and fields grant rights; a list or
//!   object is never true (the AsyncMQ `User` keeps its constructor's default). *Seen in: `role` smuggled through `extra`
//!   or `claims`.*
//!   - core: `tests/tests/tokens.rs`, `t31_rights_come_from_the_configured_claims_only`
//!   - adapter: `tests/python/test_access.py`, `test_t31_only_a_plain_yes_makes_an_admin`
//! - **t32**: any error, anywhere, denies; "could not ask" is 503, never 401 or a user. *Seen in: GHSA-68wm-pfjf-wqp6.*
//!   - core: `tests/tests/properties/admission.rs`, `t32_whoever_should_be_let_in_is_and_nobody_else`
//!   - adapter: `adapters/tower/tests/stories/sessions_elsewhere.rs`,
//!     `t32_a_store_that_is_down_throws_nobody_out_and_lets_nobody_in`
//! - **t33**: every sign-in, refusal, throttle and sign-out is an audit event with who, where, why; secrets, tokens and
//!   passwords never appear in it. *Seen in: nothing audited.*
//!   - core: `core/tests/stories/audit.rs`, `t33_no_secret_is_ever_printed`
//!   - adapter: `adapters/tower/tests/stories/t33_audit.rs`, `t33_nothing_that_proves_or_hides_is_written`
//!
//! # Tokens
//!
//! - **t34**: redirects of the token backend carry the mount too, and HTMX gets HX-Redirect. *Seen in: logout to `/login`.*
//!   - core: `tests/vectors/signing.toml`, `t34_signing_out_leads_to_the_login_under_the_mount`
//!   - adapter: `adapters/tower/tests/stories/refusals.rs`, `t34_signing_out_leads_to_login_below_the_mount`
//! - **t35**: no option turns signature checking off. *Seen in: `verify_signature: False`.*
//!   - core: `tests/tests/tokens.rs`, `t35_no_option_turns_the_signature_off`
//!   - core: `tests/tests/remembered.rs`, `t35_the_signature_of_a_token_that_comes_again_is_checked_again`
//!   - adapter: `python/tests/test_tokens_setup.py`, `test_t35_no_option_turns_the_signature_off`
//! - **t36**: algorithm pinned to the key; HMAC secret that is PEM or JWK text (leading space or BOM too) is refused;
//!   `none` never; unusable configuration fails at construction. *Seen in: CVE-2026-48526, GHSA-mvf2-f6gm-w987.*
//!   - core: `tests/tests/tokens.rs`, `t36_a_public_key_is_never_taken_for_a_secret`
//!   - adapter: `tests/python/test_configuration_mistakes.py`, `test_t36_it_is_a_key_of_another_kind`
//! - **t37**: `crit` unknown, empty or malformed refuses; `jwk`, `jku`, `x5u`, `x5c` in the header are ignored. *Seen in:
//!   GHSA-752w-5fwx-jx9f, CVE-2025-59420, CVE-2026-27962.*
//!   - core: `core/src/jwt/token.rs`, `t37_an_extension_that_must_be_understood_is_not`
//!   - adapter: `tests/python/test_tokens_refused.py`, `test_t37_a_key_that_the_token_brings_along`
//! - **t38**: every registered claim × every JSON type × required or not: a wrong type refuses. *Seen in: CVE-2026-25537.*
//!   - core: `tests/tests/tokens.rs`, `t38_every_registered_claim_refuses_every_wrong_type`
//!   - adapter: `tests/python/test_tokens_refused.py`, `test_t38_a_registered_claim_of_the_wrong_type`
//! - **t39**: size caps before base64 and before JSON; deep nesting ends in a refusal, not a stack overflow. *Seen in:
//!   CVE-2025-61920.*
//!   - core: `core/src/jwt/json.rs`, `t39_depth_is_limited_and_brackets_in_text_are_not_depth`
//!   - adapter: `tests/python/test_tokens_refused.py`, `test_t39_a_header_that_nests_without_end`
//! - **t40**: several `Authorization` headers, odd white space, non-ASCII bytes: refused, never a panic. *Seen in: scheme
//!   parsing.*
//!   - core: `tests/vectors/answers.toml`, `t40_several_authorization_fields_prove_nothing`
//!   - adapter: `tests/python/test_tokens_refused.py`, `test_t40_controls_in_the_header`
