//! What a browser's address holds: no text makes it panic, none is signed but what was, and nothing secret is
//! written down.

#![no_main]

use chrono::DateTime;
use libfuzzer_sys::fuzz_target;
use toolgate::domain::address_parts::AddressParts;
use toolgate::domain::launch_record::masked;
use toolgate::domain::launch_signature::LaunchKey;
use toolgate::domain::query::Query;

fuzz_target!(|given: (&str, &str)| {
    let (query, uid) = given;
    let now = DateTime::UNIX_EPOCH + chrono::TimeDelta::days(1);
    let key = LaunchKey::new("a launch secret");
    let raw = query.replace(['#', ' ', '\r', '\n'], "");
    let address = format!("/lams/tool/mdquiz10/learning.do?{raw}");
    let parsed = Query::parse(&raw);
    let _ = parsed.check();
    assert!(key.verify(&address, &parsed, now).is_err());
    let _ = AddressParts::of(&address);

    let signed = key.sign(&address, uid, now);
    let (_, text) = signed.split_once('?').unwrap();
    let parsed = Query::parse(text);
    if parsed.check().is_ok()
        && !uid.trim().is_empty()
        && parsed.get("uid") == Some(uid)
        && !raw.contains("ts")
    {
        assert_eq!(key.verify(&signed, &parsed, now), Ok(uid));
    }
    let (_, sig) = signed.rsplit_once("&sig=").unwrap();
    assert!(!masked(&signed).contains(sig), "{signed}");
    let changed = format!("{}x&sig={sig}", &signed[..signed.len() - sig.len() - 5]);
    let (_, text) = changed.split_once('?').unwrap();
    assert!(key.verify(&changed, &Query::parse(text), now).is_err());
});
