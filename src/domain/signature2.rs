//! Signature 2: how requests to a server are signed that checks it, in place of the legacy SHA-1 of
//! [`super::hash`]. An HMAC-SHA-256 over method, server, path, every parameter (time and nonce are among them)
//! and the body's hash: a captured request authorises nothing else, and that once. `docs/signature2.md` has the
//! rule to the byte, `docs/examples/signature2.php` a verifier in PHP.

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::hash::HexDigits;
use super::launch_signature::hmac_of;

/// The first line of what is signed: nothing else under the same key begins so.
const LABEL: &str = "toolgate-signature-2";

/// The value of `sv`, which tells this signature from those to come.
pub const VERSION: &str = "2";

/// How far `ts` may be from the verifier's clock, either way.
pub const TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// The SHA-256 of a body that is not there, in hexadecimal digits.
pub const NO_BODY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A random number that names one request, so that it counts once.
pub type Nonce = [u8; 16];

/// A request as it is sent, without its signature.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Such as `GET`.
    pub method: &'a str,
    /// The path of its address.
    pub path: &'a str,
    /// The query of its address.
    pub query: &'a str,
    /// The SHA-256 of its body in lower-case hexadecimal digits; where the body is a form, of the form's file.
    pub body: &'a str,
}

/// What a checked request must still be asked for: whether its nonce came before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Its nonce.
    pub nonce: String,
    /// Until when the nonce has to be kept.
    pub keep_until: DateTime<Utc>,
}

/// Why a request is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Signature2Error {
    /// A parameter is not there, or not where it has to be: at the end, as [`stamp`] has them.
    #[error("it lacks {0}")]
    Missing(&'static str),
    /// The signature is not that of this request.
    #[error("the signature is wrong")]
    Wrong,
    /// The signature is right, but its time is not.
    #[error("the signature was made more than five minutes ago, or is of the future")]
    Expired,
}

/// The parameters that stand right before `sig`, in this order.
pub fn stamp(now: DateTime<Utc>, nonce: Nonce) -> [(&'static str, String); 3] {
    [
        ("ts", now.timestamp_millis().to_string()),
        ("nonce", HexDigits::of(nonce).as_str().to_owned()),
        ("sv", VERSION.to_owned()),
    ]
}

/// `sig`: 64 lower-case hexadecimal digits. The key is the UTF-8 bytes of the one that the server shares, as it is.
pub fn signature(key: &str, server: &str, request: Request<'_>) -> String {
    let mac = mac(key, server, request).finalize().into_bytes();
    HexDigits::<32>::of(mac.into()).as_str().to_owned()
}

/// Checks a request whose query ends in `sig`, as a server does.
pub fn verify(
    key: &str,
    server: &str,
    sent: Request<'_>,
    now: DateTime<Utc>,
) -> Result<Verified, Signature2Error> {
    let (query, sig) = sent
        .query
        .rsplit_once("&sig=")
        .ok_or(Signature2Error::Missing("sig"))?;
    // Upper-case digits decode to the same bytes; taking them would let a bit change unnoticed.
    if sig.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(Signature2Error::Wrong);
    }
    let claimed = hex::decode(sig).map_err(|_| Signature2Error::Wrong)?;
    mac(key, server, Request { query, ..sent })
        .verify_slice(&claimed)
        .map_err(|_| Signature2Error::Wrong)?;
    let mut pieces = query.rsplit('&');
    let mut last = |name| {
        let piece = pieces.next().and_then(|piece| piece.strip_prefix(name));
        let value = piece.and_then(|piece| piece.strip_prefix('='));
        value.ok_or(Signature2Error::Missing(name))
    };
    if last("sv")? != VERSION {
        return Err(Signature2Error::Missing("sv"));
    }
    let (nonce, ts) = (last("nonce")?, last("ts")?);
    let at = ts
        .parse()
        .ok()
        .and_then(DateTime::from_timestamp_millis)
        .ok_or(Signature2Error::Expired)?;
    if now.signed_duration_since(at).abs() > TOLERANCE {
        return Err(Signature2Error::Expired);
    }
    Ok(Verified {
        nonce: nonce.to_owned(),
        keep_until: at + TOLERANCE,
    })
}

fn mac(key: &str, server: &str, request: Request<'_>) -> Hmac<Sha256> {
    hmac_of(key.as_bytes()).chain_update(text(server, request))
}

/// What is signed: six lines, none of which can hold a line end.
fn text(server: &str, request: Request<'_>) -> String {
    let mut text = String::with_capacity(256 + request.path.len() + 2 * request.query.len());
    for line in [LABEL, request.method, server] {
        text.push_str(line);
        text.push('\n');
    }
    for (i, segment) in request.path.split('/').enumerate() {
        if i > 0 {
            text.push('/');
        }
        push_again(&mut text, segment, b'+');
    }
    text.push('\n');
    let pairs = request.query.split('&').filter(|pair| !pair.is_empty());
    for (i, pair) in pairs.enumerate() {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if i > 0 {
            text.push('&');
        }
        push_again(&mut text, name, b' ');
        text.push('=');
        push_again(&mut text, value, b' ');
    }
    text.push('\n');
    text.push_str(request.body);
    text
}

/// Appends an encoded text, encoded anew as RFC 3986 does it, so that it does not matter how it was. `plus` is what a
/// `+` stands for.
fn push_again(text: &mut String, encoded: &str, plus: u8) {
    let bytes = encoded.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        // Most of a text stays as it is, and is taken in one piece.
        let same = bytes[at..].iter().take_while(|b| stays(**b)).count();
        if same > 0 {
            text.push_str(&encoded[at..at + same]);
            at += same;
            continue;
        }
        let escaped = bytes
            .get(at + 1..at + 3)
            .filter(|_| byte == b'%')
            .and_then(|digits| Some(16 * digit(digits[0])? + digit(digits[1])?));
        at += if escaped.is_some() { 3 } else { 1 };
        let plain = escaped.unwrap_or(if byte == b'+' { plus } else { byte });
        if stays(plain) {
            text.push(char::from(plain));
        } else {
            text.push('%');
            for digit in [plain >> 4, plain & 15] {
                text.push(char::from(b"0123456789ABCDEF"[usize::from(digit)]));
            }
        }
    }
}

/// Whether RFC 3986 leaves a byte as it is.
fn stays(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// What a hexadecimal digit is worth.
fn digit(byte: u8) -> Option<u8> {
    let worth = char::from(byte).to_digit(16)?;
    u8::try_from(worth).ok()
}

#[cfg(test)]
mod tests;
