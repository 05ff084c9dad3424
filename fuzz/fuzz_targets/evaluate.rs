//! Reads a context from arbitrary bytes and evaluates it in every way, which must agree and must not panic.
//!
//! `cargo +nightly fuzz run evaluate`; the published evaluation cases make a good corpus.
#![no_main]

use burgee_engine::context::Context;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(context) = Context::from_json(text) else {
        return;
    };
    let result = context.evaluate();
    assert!(serde_json::to_string(&result).is_ok());
    let explanation = context.explain();
    assert!(serde_json::to_string(&explanation).is_ok());
    context.with_identity(|identity| {
        for (index, outcome) in result.evaluation().iter().enumerate() {
            let one = context
                .environment()
                .evaluate_feature(index, identity)
                .expect("the feature exists");
            assert_eq!(one.reason(), outcome.reason());
            assert_eq!(one.winner(), outcome.winner());
            assert_eq!(explanation.flags[index].reason, outcome.reason().to_string());
        }
    });
});
