use super::*;
use proptest::prelude::*;

const KEY: &str = "S3cretKey";
const SERVER: &str = "moodle";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_795_772_968_280).unwrap()
}

/// The example of docs/signature2.md, without its signature.
const EXAMPLE: Request<'_> = Request {
    method: "GET",
    path: "/moodle/mod/lamstwo/tooladapter_quiz.php",
    query: "un=Zo%C3%AB+B.&cs=7&section=3&method=clone&extToolContentID=555\
            &rid=7d0f1c9e-8a55-4a8e-9d7c-0c64bba0f1d2&ts=1795772968280&nonce=000102030405060708090a0b0c0d0e0f&sv=2",
    body: NO_BODY,
};

/// A query with the signature of its request.
fn signed(request: Request<'_>) -> String {
    format!("{}&sig={}", request.query, signature(KEY, SERVER, request))
}

fn check(request: Request<'_>, query: &str) -> Result<Verified, Signature2Error> {
    verify(KEY, SERVER, Request { query, ..request }, now())
}

#[test]
fn the_document_shows_the_bytes_that_are_signed_and_their_signature() {
    let document = include_str!("../../../docs/signature2.md");
    assert!(document.contains(&format!("```\n{}\n```", text(SERVER, EXAMPLE))));
    let sent = format!("{}?{}", EXAMPLE.path, signed(EXAMPLE));
    assert!(document.contains(&format!("GET {sent} HTTP/1.1")), "{sent}");
    // As computed by `openssl dgst -sha256 -hmac S3cretKey` of the six lines.
    assert!(
        sent.ends_with("&sig=3db5812a40b74b5f20ecb322e45103f3ad4c97e071e76fc5cb18f022676288db"),
        "{sent}"
    );
    assert!(check(EXAMPLE, &signed(EXAMPLE)).is_ok());
}

#[test]
fn it_does_not_matter_how_the_address_is_encoded_but_the_order_does() {
    let sent = signed(EXAMPLE);
    let other = sent.replace("Zo%C3%AB+B.", "%5ao%c3%ab%20B%2E");
    assert_ne!(sent, other);
    let path = "/moodle/mod/lamstwo/tool%61dapter_quiz.php";
    assert!(check(Request { path, ..EXAMPLE }, &format!("&{other}")).is_ok());
    // Else a page that takes the last of two names could be made to take the first.
    let other = sent.replace("cs=7&section=3", "section=3&cs=7");
    assert_eq!(check(EXAMPLE, &other), Err(Signature2Error::Wrong));
}

#[test]
fn a_plus_is_a_blank_in_a_query_and_a_plus_in_a_path() {
    let of = |path, query| {
        text(
            SERVER,
            Request {
                path,
                query,
                ..EXAMPLE
            },
        )
    };
    assert_eq!(of("/a+b", "c=d+e"), of("/a%2Bb", "c=d%20e"));
    assert_ne!(of("/a+b", ""), of("/a%20b", ""));
    assert_ne!(of("/", "c=d+e"), of("/", "c=d%2Be"));
}

#[test]
fn separators_that_are_encoded_separate_nothing() {
    let of = |path, query| {
        text(
            SERVER,
            Request {
                path,
                query,
                ..EXAMPLE
            },
        )
    };
    for (one, other) in [
        ("a=b&c=d", "a=b%26c=d"),
        ("a=b=c", "a%3Db=c"),
        ("a=b&c", "a=b%0Ac"),
    ] {
        assert_ne!(of("/", one), of("/", other), "{one}");
    }
    assert_ne!(of("/a/b", ""), of("/a%2Fb", ""));
    let lines = |text: String| text.lines().count();
    assert_eq!(lines(of("/a%0Ab", "c%0A=d%0D%0A")), 6);
    assert_eq!(lines(of("/", "")), 6);
}

#[test]
fn it_is_for_one_method_server_path_body_and_key() {
    let sent = signed(EXAMPLE);
    for other in [
        Request {
            method: "POST",
            ..EXAMPLE
        },
        Request {
            method: "HEAD",
            ..EXAMPLE
        },
        Request {
            path: "/moodle/mod/lamstwo/tooladapter_forum.php",
            ..EXAMPLE
        },
        Request {
            path: "/moodle/mod/lamstwo/tooladapter_quiz.php/",
            ..EXAMPLE
        },
        Request {
            path: "//moodle/mod/lamstwo/tooladapter_quiz.php",
            ..EXAMPLE
        },
        Request {
            body: "00b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ..EXAMPLE
        },
    ] {
        assert_eq!(
            check(other, &sent),
            Err(Signature2Error::Wrong),
            "{other:?}"
        );
    }
    let sent = Request {
        query: &sent,
        ..EXAMPLE
    };
    for (key, server) in [
        ("s3cretkey", SERVER),
        ("S3cretKey ", SERVER),
        (KEY, "Moodle"),
        (KEY, "moodle2"),
    ] {
        assert_eq!(
            verify(key, server, sent, now()),
            Err(Signature2Error::Wrong),
            "{key} {server}"
        );
    }
}

#[test]
fn it_is_good_for_five_minutes_either_way() {
    let query = signed(EXAMPLE);
    let sent = Request {
        query: &query,
        ..EXAMPLE
    };
    let at = |time| verify(KEY, SERVER, sent, time);
    let moment = TimeDelta::milliseconds(1);
    for time in [now() - TOLERANCE, now(), now() + TOLERANCE] {
        let verified = at(time).unwrap();
        assert_eq!(verified.nonce, "000102030405060708090a0b0c0d0e0f");
        assert_eq!(verified.keep_until, now() + TOLERANCE);
    }
    for time in [now() - TOLERANCE - moment, now() + TOLERANCE + moment] {
        assert_eq!(at(time), Err(Signature2Error::Expired));
    }
}

#[test]
fn time_nonce_and_version_stand_before_the_signature() {
    assert_eq!(
        check(EXAMPLE, EXAMPLE.query),
        Err(Signature2Error::Missing("sig"))
    );
    let (ts, nonce) = ("ts=1795772968280", "nonce=000102030405060708090a0b0c0d0e0f");
    for (query, lacks) in [
        (format!("{ts}&{nonce}"), "sv"),
        (format!("{ts}&{nonce}&sv="), "sv"),
        (format!("{ts}&{nonce}&sv=1"), "sv"),
        (format!("{ts}&{nonce}&sv=2&a=b"), "sv"),
        (format!("{ts}&{nonce}&sv=2&sv=1"), "sv"),
        (format!("{ts}&sv=2"), "nonce"),
        (format!("{nonce}&{ts}&sv=2"), "nonce"),
        (format!("{nonce}&sv=2"), "ts"),
    ] {
        let sent = signed(Request {
            query: &query,
            ..EXAMPLE
        });
        assert_eq!(
            check(EXAMPLE, &sent),
            Err(Signature2Error::Missing(lacks)),
            "{query}"
        );
    }
    let query = format!("ts=soon&{nonce}&sv=2");
    let sent = signed(Request {
        query: &query,
        ..EXAMPLE
    });
    assert_eq!(check(EXAMPLE, &sent), Err(Signature2Error::Expired));
    // A page may have parameters of these names.
    let query = format!("ts=1&nonce=x&sv=1&{ts}&{nonce}&sv=2");
    let sent = signed(Request {
        query: &query,
        ..EXAMPLE
    });
    assert!(check(EXAMPLE, &sent).is_ok());
}

#[test]
fn no_parameter_can_be_added_anywhere() {
    let sent = signed(EXAMPLE);
    for more in ["un=root", "sig=", "x", "=", "%75n=root"] {
        let first = format!("{more}&{sent}");
        let before_last = sent.replace("&sig=", &format!("&{more}&sig="));
        for query in [format!("{sent}&{more}"), first, before_last] {
            assert!(check(EXAMPLE, &query).is_err(), "{query}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn any_changed_bit_is_refused(
        values in proptest::collection::vec(("[a-zA-Z0-9_.]{1,8}", any::<String>()), 0..5),
        file in any::<[u8; 32]>(),
        which in 0..4_usize,
        at in any::<prop::sample::Index>(),
        bit in 0..8_u8,
    ) {
        let mut query = String::new();
        for (name, value) in &values {
            query.push_str(&format!("{name}={}&", crate::domain::enc::enc(value)));
        }
        let stamp = stamp(now(), [7; 16]).map(|(name, value)| format!("{name}={value}"));
        query.push_str(&stamp.join("&"));
        let body = hex::encode(file);
        let request = Request { method: "POST", path: "/mod/x.php", query: &query, body: &body };
        let sent = signed(request);
        prop_assert!(check(request, &sent).is_ok());

        let mut parts = [request.method, request.path, &sent, &body].map(|part| part.as_bytes().to_vec());
        let at = at.index(parts[which].len());
        parts[which][at] ^= 1 << bit;
        let parts = parts.map(String::from_utf8);
        if let [Ok(method), Ok(path), Ok(query), Ok(body)] = &parts {
            let changed = Request { method, path, query, body };
            let means = |request: Request<'_>| {
                let (query, sig) = request.query.rsplit_once("&sig=")?;
                Some((text(SERVER, Request { query, ..request }), sig.to_owned()))
            };
            // `%2F` and `%2f` are two ways to write one thing.
            let original = Request { query: &sent, ..request };
            if means(changed) != means(original) {
                prop_assert!(check(changed, query).is_err(), "{changed:?}");
            }
        }
    }

    #[test]
    fn two_queries_are_the_same_only_if_they_mean_the_same(one in "[a%&=+;2b6]{0,8}", other in "[a%&=+;2b6]{0,8}") {
        let meant = |query: &str| {
            query
                .split('&')
                .filter(|pair| !pair.is_empty())
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    let plain = |text: &str| urlencoding::decode_binary(text.replace('+', " ").as_bytes()).into_owned();
                    (plain(name), plain(value))
                })
                .collect::<Vec<_>>()
        };
        let same = text(SERVER, Request { query: &one, ..EXAMPLE }) == text(SERVER, Request { query: &other, ..EXAMPLE });
        prop_assert_eq!(same, meant(&one) == meant(&other));
    }

    #[test]
    fn no_query_makes_it_panic_or_counts(query in any::<String>()) {
        prop_assert!(check(EXAMPLE, &query).is_err());
    }
}
