#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| authgate_fuzzed::forwarded(data));
