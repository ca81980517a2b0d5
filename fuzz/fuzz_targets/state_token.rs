//! State tokens: none opens but those that were sealed, bit by bit.

#![no_main]

use chrono::{DateTime, TimeDelta};
use libfuzzer_sys::fuzz_target;
use toolgate::domain::person::Person;
use toolgate::domain::state_token::{Purpose, State, StateKeys, Subject};

fuzz_target!(|given: (&str, &str, u16, u8)| {
    let (text, login, at, change) = given;
    let keys = StateKeys::derive([&[7; 32], &[9; 32]]);
    let now = DateTime::UNIX_EPOCH;
    let (platform, signature) = ("lams".parse().unwrap(), "mdquiz10".parse().unwrap());
    let subject = Subject {
        platform: &platform,
        signature: &signature,
        id: 5,
    };
    let all = [
        Purpose::Update,
        Purpose::EditAgain,
        Purpose::Finish,
        Purpose::Look,
    ];
    assert!(keys.open(Some(text), &all, subject, now).is_err());
    let state = State {
        purpose: Purpose::Finish,
        expires_at: now + TimeDelta::hours(1),
        nonce: [3; 12],
        person: Some(Person::Lams(login.into())),
    };
    let token = keys.seal(&state, subject);
    assert_eq!(keys.open(Some(&token), &all, subject, now), Ok(state));
    let mut bytes = token.into_bytes();
    let at = usize::from(at) % bytes.len();
    if change != 0 {
        bytes[at] ^= change;
        if let Ok(changed) = String::from_utf8(bytes) {
            assert!(keys.open(Some(&changed), &all, subject, now).is_err());
        }
    }
});
