//! One activity, from its first opening to the last who finished it.

use chrono::TimeDelta;
use rstest::rstest;

use super::super::*;
use super::{Database, Kind, content_key, entry_of, now, place, session};
use crate::domain::content::Place;
use crate::domain::id::ExtId;
use crate::domain::journal::Entry;
use crate::domain::session::Session;

#[rstest]
#[actix_web::test]
async fn content_is_made_once_however_many_open_it(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let database = Database::new(kind).await;
    let store = &database.store;
    configured(store).await;
    let key = content_key(7);
    let opened = futures_util::future::join_all((0..16).map(async |course: i64| {
        let place = Place {
            course: course.to_string(),
            ..place()
        };
        store.content_or_new(&key, &place, now()).await.unwrap()
    }));
    let opened = opened.await;
    let first = store.content(&key).await.unwrap();
    assert!(first.is_some());
    assert!(opened.iter().all(|content| *content == first));
}

pub(crate) async fn configured(store: &Store) {
    let platform = PlatformRecord {
        id: "lams".into(),
        name: "LAMS".into(),
        url: "http://lams.example/".into(),
        launch_auth: "signed".into(),
        launch_secret: Some(vec![1, 2]),
        callback_state: "required".into(),
        api_token_hash: Some(vec![3; 32]),
        custom_csv: "accepted".to_owned(),
        finish_url: None,
    };
    let server = ServerRecord {
        id: "moodle".into(),
        name: "Moodle".into(),
        url: "http://moodle.example/".into(),
        server_key: Some(vec![0, 255]),
        prefix: Some("mdl".into()),
        enabled: true,
        sign_redirects: false,
        timeout_ms: Some(10_000),
        private_network: true,
        login_window_minutes: None,
        time_zone: None,
        signature: 2,
        tools: ["mdquiz10".to_owned()].into(),
        settings: [(
            "mdquiz10".to_owned(),
            [("adapter_page".to_owned(), "x".to_owned())].into(),
        )]
        .into(),
        enrollment: Some(EnrollmentRecord {
            position: 3,
            backend: "moodle".into(),
            base_url: "http://moodle.example/server.php".into(),
            selector_regex: ".*".into(),
            course_regex: None,
            api_token: Some(vec![7, 8]),
            client_id: Some("client".into()),
            client_secret: Some(vec![9]),
            auto_enroll: true,
            timeout_ms: Some(1500),
            role_id: Some(5),
            user_auth: Some("oauth2".into()),
            create_users: false,
            grades_api: "core".into(),
            extras: Some("{}".into()),
        }),
    };
    let after = StoredConfiguration {
        platforms: [("lams".to_owned(), platform)].into(),
        servers: [("moodle".to_owned(), server)].into(),
        tools: [(
            "own".to_owned(),
            ToolRecord {
                signature: "own".into(),
                definition: "…".into(),
            },
        )]
        .into(),
    };
    let before = store.configuration_version().await.unwrap();
    let change = store.change_configuration().await.unwrap();
    change.commit(&after, &[], now()).await.unwrap();
    assert_eq!(store.configuration_version().await.unwrap(), before + 1);
    let stored = store.configuration().await.unwrap();
    assert!(stored.platforms == after.platforms && stored.servers == after.servers);
    assert_eq!(stored.tools, after.tools);
}

/// Makes a session of content that is stored.
pub(crate) async fn with_session(store: &Store, session: &Session) {
    let entry = Entry {
        id: uuid::Uuid::new_v4().to_string(),
        ..entry_of(session)
    };
    let lease = Lease {
        owner: "one",
        until: now(),
    };
    assert!(store.begin_entry(&entry, lease, None).await.unwrap());
    let made = store.settle_entry(&entry, "one", Some(&session.ext_id), now());
    assert!(made.await.unwrap());
}

#[rstest]
#[actix_web::test]
async fn the_story_of_one_activity(#[values(Kind::Postgres, Kind::Sqlite)] kind: Kind) {
    let database = Database::new(kind).await;
    let store = &database.store;
    configured(store).await;

    // A change that is given up changes nothing.
    let version = store.configuration_version().await.unwrap();
    drop(store.change_configuration().await.unwrap());
    assert_eq!(store.configuration_version().await.unwrap(), version);

    // Content is stored once; the first one stays.
    let key = content_key(7);
    assert!(store.content(&key).await.unwrap().is_none());
    store.content_or_new(&key, &place(), now()).await.unwrap();
    store
        .content_or_new(
            &key,
            &Place {
                course: "8".into(),
                ..place()
            },
            now(),
        )
        .await
        .unwrap();
    let content = store.content(&key).await.unwrap().unwrap();
    assert_eq!(
        (content.place, content.ext_id, content.created_at),
        (place(), None, now())
    );

    // A lock ends with the callback, whose state counts once.
    store
        .lock_content(&key, now() + TimeDelta::minutes(30))
        .await
        .unwrap();
    assert!(
        store
            .content(&key)
            .await
            .unwrap()
            .unwrap()
            .is_not_ready(now())
    );
    let nonce = [5; 12];
    let (first, other) = (ExtId::stored("555".into()), ExtId::stored("557".into()));
    let elsewhere = content_key(8);
    let call = |content, ext_id| {
        let state = Some((nonce.as_slice(), now()));
        store.store_callback(Callback {
            content,
            ext_id,
            state,
            at: now(),
        })
    };
    assert_eq!(call(&elsewhere, &first).await.unwrap(), Stored::NoContent);
    assert_eq!(
        call(&key, &first).await.unwrap(),
        Stored::Now(place().server)
    );
    assert_eq!(call(&key, &first).await.unwrap(), Stored::Before);
    assert_eq!(
        call(&key, &other).await.unwrap(),
        Stored::StateUsedOtherwise
    );
    let content = store.content(&key).await.unwrap().unwrap();
    assert_eq!(
        (content.ext_id, content.locked_until, content.define_later),
        (Some(first), None, false)
    );

    // Flags, and a session with its people.
    assert!(
        store
            .set_flags(&key, Some(true), None, now())
            .await
            .unwrap()
    );
    assert!(
        !store
            .set_flags(&content_key(8), Some(true), Some(true), now())
            .await
            .unwrap()
    );
    let session = session(9, 7);
    let entry = entry_of(&session);
    let lease = Lease {
        owner: "one",
        until: now(),
    };
    assert!(store.begin_entry(&entry, lease, None).await.unwrap());
    let again = Entry {
        id: "another".into(),
        ..entry.clone()
    };
    assert!(
        !store.begin_entry(&again, lease, None).await.unwrap(),
        "its key is taken"
    );
    assert_eq!(
        store.current_entry(&entry.key).await.unwrap().as_ref(),
        Some(&entry)
    );
    assert!(
        store
            .settle_entry(&entry, "one", Some(&session.ext_id), now())
            .await
            .unwrap()
    );
    assert!(
        !store
            .settle_entry(&entry, "one", Some(&session.ext_id), now())
            .await
            .unwrap(),
        "it settles once"
    );
    assert_eq!(
        store.session(&session.key).await.unwrap().as_ref(),
        Some(&session)
    );
    assert_eq!(
        store.sessions_of(&key).await.unwrap(),
        std::slice::from_ref(&session)
    );
    let anna = "mdl_Anna".to_owned();
    // Batches may be filed in any order: what counts is when somebody came first.
    for (in_use, hours) in [(Some(key.clone()), 1), (None, 0), (None, 2)] {
        let opens = |session: &Session| {
            super::launches::opens(&session.key, &anna, now() + TimeDelta::hours(hours))
        };
        let happened = Happened {
            launches: [opens(&session), opens(&super::session(99, 7))]
                .into_iter()
                .collect(),
            in_use: in_use.into_iter().collect(),
            ..Happened::default()
        };
        store.store_happened(&[happened]).await.unwrap();
    }
    let later = now() + TimeDelta::hours(1);
    assert!(
        store
            .mark_finished(&session.key, &anna, later)
            .await
            .unwrap()
    );
    assert!(
        store
            .mark_finished(&session.key, &anna, later + TimeDelta::hours(1))
            .await
            .unwrap()
    );
    assert!(
        !store
            .mark_finished(&super::session(99, 7).key, &anna, later)
            .await
            .unwrap()
    );
    let attendance = store.attendance(&key).await.unwrap();
    assert_eq!(attendance.len(), 1);
    let (of, anna_was) = &attendance[0];
    assert_eq!(
        (*of, anna_was.opened_at, anna_was.finished_at),
        (session.key.id, Some(now()), Some(later))
    );
    let opening = store.opening(&session.key).await.unwrap().unwrap();
    assert!(opening.define_later && opening.in_use && !opening.run_offline);
    assert_eq!(
        (opening.content, &opening.ext_id),
        (session.content, &session.ext_id)
    );
    assert_eq!(opening.finished.as_deref(), Some(&["mdl_Anna".into()][..]));
    for (name, expected) in [(anna.as_str(), true), ("mdl_Ben", false)] {
        let found = store.has_finished(&session.key, name).await.unwrap();
        assert_eq!(found, expected, "{name}");
    }
    let other = super::session(99, 7);
    assert_eq!(store.opening(&other.key).await.unwrap(), None);
}
