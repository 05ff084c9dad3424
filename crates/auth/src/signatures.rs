//! Signatures of what is sent to others, so that the receiver can tell who sent it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::tokens::hex;

/// How secrets of Standard Webhooks begin that are bytes in Base64.
const ENCODED_SECRET: &str = "whsec_";

/// HMAC-SHA256 of a body as 64 lower-case hexadecimal digits: `X-Flagsmith-Signature`, and what others call the same.
pub fn hex_hmac(secret: &str, body: &[u8]) -> String {
    hex(&mac(secret.as_bytes(), &[body]))
}

/// The `webhook-signature` of the Standard Webhooks specification: it covers the id of the message and the time it was
/// sent, so that a recorded message can't be sent again later.
///
/// The key are the bytes of the secret, or for one that begins with `whsec_` those that it encodes.
pub fn standard_webhook(secret: &str, id: &str, seconds: i64, body: &[u8]) -> String {
    let encoded = secret
        .strip_prefix(ENCODED_SECRET)
        .and_then(|text| STANDARD.decode(text).ok());
    let key = encoded.unwrap_or_else(|| secret.as_bytes().to_vec());
    let begin = format!("{id}.{seconds}.");
    format!("v1,{}", STANDARD.encode(mac(&key, &[begin.as_bytes(), body])))
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac =
        <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_signature_is_hmac_sha256_in_hexadecimal() {
        // RFC 4231, test case 2.
        assert_eq!(
            hex_hmac("Jefe", b"what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn the_signature_with_a_time_is_that_of_the_specification() {
        // The example of the specification's own libraries.
        assert_eq!(
            standard_webhook(
                "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                1_614_265_330,
                br#"{"test": 2432232314}"#,
            ),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
        assert_ne!(
            standard_webhook("s", "id", 1, b"body"),
            standard_webhook("s", "id", 2, b"body")
        );
    }
}
