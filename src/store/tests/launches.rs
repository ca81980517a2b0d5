//! Launches and calls: what is written is found again, whichever way it is looked for.

use std::borrow::Cow;

use chrono::{DateTime, TimeDelta, Utc};
use rstest::rstest;

use super::super::*;
use super::{Database, Kind, now};
use crate::domain::launch_record::{
    About, CallRecord, LaunchKind, LaunchOutcome, LaunchRecord, Noted, Remembered,
};
use crate::domain::session::SessionKey;

pub(crate) fn launch(n: i64) -> LaunchRecord {
    let server = if n % 2 == 0 { "moodle" } else { "other" };
    let refused = n % 5 == 0;
    LaunchRecord {
        at: now() + TimeDelta::seconds(n),
        kind: LaunchKind::Learner,
        request_id: format!("{n:016x}"),
        platform: "lams".into(),
        signature: if n % 11 == 10 { "mdwiki10" } else { "mdquiz10" }.into(),
        noted: Noted {
            not_enrolled: None,
            server: (n != 3).then(|| server.parse().unwrap()),
            user: (n != 3).then(|| format!("mdl_{}", n % 3)),
            content: (n != 3).then_some(n % 4 + 1),
            session: (n != 3).then_some(n % 7 + 1),
            remembered: (n == 4).then(|| Remembered {
                csv: "bill,7,3,moodle".to_owned(),
                at: now(),
            }),
        },
        outcome: if refused {
            LaunchOutcome::Refused
        } else {
            LaunchOutcome::Redirected
        },
        status: if refused { 403 } else { 302 },
        ms: 0.5,
        came_with: "/lams/…".into(),
        sent_to: None,
        reason: refused.then(|| "no".to_owned()),
        code: refused.then(|| "somebody-else".into()),
    }
}

/// Somebody opens a session.
pub(crate) fn opens(session: &SessionKey, name: &str, at: DateTime<Utc>) -> LaunchRecord {
    LaunchRecord {
        at,
        platform: session.platform.to_string(),
        signature: session.signature.to_string(),
        noted: Noted {
            user: Some(name.to_owned()),
            session: Some(session.id.get()),
            ..launch(1).noted
        },
        ..launch(1)
    }
}

#[rstest]
#[actix_web::test]
async fn launches_are_found_by_whatever_is_known_of_them(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let database = Database::new(kind).await;
    let store = &database.store;
    let launches: Vec<_> = (0..60).map(launch).collect();
    for part in launches.chunks(25) {
        let happened = Happened {
            launches: part.iter().cloned().collect(),
            ..Happened::default()
        };
        store.store_happened(&[happened]).await.unwrap();
    }
    let all = store.launches(&LaunchFilter::default(), 100).await.unwrap();
    assert_eq!(all.len(), 60);
    assert!(
        all.is_sorted_by(|a, b| a.id > b.id),
        "the newest come first"
    );
    let first = all.last().unwrap();
    assert_eq!(store.launch(first.id).await.unwrap().as_ref(), Some(first));
    assert_eq!(
        (first.request_id.as_str(), first.status),
        ("0000000000000000", 403)
    );
    assert_eq!(first.reason.as_deref(), Some("no"));

    let (user, server) = (Some("mdl_1".to_owned()), Some("moodle".to_owned()));
    let outcomes = [
        None,
        Some(LaunchOutcome::Refused),
        Some(LaunchOutcome::Redirected),
    ];
    let (middle, later) = (all[30].id, all[10].id);
    let text = |text: &str| Some(text.to_owned());
    let places = [
        (None, None),
        (text("mdwiki10"), None),
        (text("mdquiz10"), text("lams")),
        (None, text("lams")),
        (None, text("elsewhere")),
    ];
    for ((tool, platform), user) in places
        .into_iter()
        .flat_map(|place| [(place.clone(), None), (place, user.clone())])
    {
        for server in [None, server.clone()] {
            for outcome in outcomes {
                for (content, session) in [
                    (None, None),
                    (Some(2), None),
                    (None, Some(5)),
                    (Some(2), Some(6)),
                ] {
                    for (after, before) in [(None, None), (Some(middle), None), (None, Some(later))]
                    {
                        let filter = LaunchFilter {
                            request: None,
                            user: user.clone(),
                            content,
                            session,
                            server: server.clone(),
                            tool: tool.clone(),
                            platform: platform.clone(),
                            outcome,
                            before,
                            after,
                        };
                        let found = store.launches(&filter, 100).await.unwrap();
                        let fits = |launch: &&StoredLaunch| {
                            (user.is_none() || launch.user_name == user)
                                && (server.is_none() || launch.server_id == server)
                                && outcome.is_none_or(|outcome| launch.outcome == outcome.as_str())
                                && tool.as_ref().is_none_or(|tool| launch.signature == *tool)
                                && platform.as_ref().is_none_or(|id| launch.platform_id == *id)
                                && (content.is_none() || launch.tool_content_id == content)
                                && (session.is_none() || launch.tool_session_id == session)
                                && after.is_none_or(|after| launch.id > after)
                                && before.is_none_or(|before| launch.id < before)
                        };
                        let expected: Vec<_> = all.iter().filter(fits).cloned().collect();
                        assert_eq!(found, expected, "{filter:?}");
                        if before.is_none() {
                            let mut up = store.launches_from(&filter, 100).await.unwrap();
                            up.reverse();
                            assert_eq!(up, expected, "{filter:?}");
                        }
                    }
                }
            }
        }
    }
    // A page that goes up begins right after its place.
    let filter = LaunchFilter {
        after: Some(middle),
        ..LaunchFilter::default()
    };
    let up = store.launches_from(&filter, 2).await.unwrap();
    assert_eq!(up, [all[29].clone(), all[28].clone()]);
    let filter = LaunchFilter {
        request: Some(first.request_id.clone()),
        ..LaunchFilter::default()
    };
    let found = store.launches(&filter, 100).await.unwrap();
    assert_eq!(found, std::slice::from_ref(first));
    assert_eq!(found[0].code.as_deref(), Some("somebody-else"));

    let days = store.launch_days(0).await.unwrap();
    assert_eq!(days.iter().map(|day| day.launches).sum::<i64>(), 60);
    let hours = store.launch_hours(0).await.unwrap();
    assert!(
        hours
            .iter()
            .any(|hour| days.iter().any(|day| day.hour == hour.hour / 24))
    );
    assert_eq!(hours.iter().map(|hour| hour.launches).sum::<i64>(), 60);
    let tools = store.launches_by_tool(0).await.unwrap();
    assert_eq!(tools.iter().map(|tool| tool.launches).sum::<i64>(), 60);
    assert!(hours.iter().any(|hour| hour.server_id.is_empty()));
}

#[rstest]
#[actix_web::test]
async fn calls_are_found_with_the_launch_that_they_belong_to_and_what_is_old_is_forgotten(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let database = Database::new(kind).await;
    let store = &database.store;
    let call = |session, outcome: &'static str| CallRecord {
        at: now(),
        about: About {
            platform: "lams".parse().unwrap(),
            signature: "mdquiz10".parse().unwrap(),
            content: Some(1),
            session,
        },
        server: "moodle".parse().unwrap(),
        method: "clone".into(),
        outcome: Cow::Borrowed(outcome),
        reason: None,
        ms: 12.5,
    };
    let happened = Happened {
        launches: [launch(4), launch(3)].into_iter().collect(),
        calls: vec![
            call(Some(5), "ok"),
            call(None, "broken"),
            call(Some(9), "ok"),
        ],
        ..Happened::default()
    };
    store.store_happened(&[happened]).await.unwrap();
    let all = store.launches(&LaunchFilter::default(), 10).await.unwrap();
    let outcomes = |calls: Vec<StoredCall>| -> Vec<String> {
        calls.into_iter().map(|call| call.outcome).collect()
    };
    let near = async |launch: &StoredLaunch| {
        let earlier = store.calls_near(launch, Side::Earlier, 10).await.unwrap();
        let later = store.calls_near(launch, Side::Later, 10).await.unwrap();
        outcomes(earlier.into_iter().rev().chain(later).collect())
    };
    assert_eq!(near(&all[0]).await, ["ok"]);
    let of_content = StoredLaunch {
        tool_session_id: None,
        ..all[0].clone()
    };
    assert_eq!(near(&of_content).await, ["ok", "broken", "ok"]);
    assert!(near(&all[1]).await.is_empty());

    // Launches are old by the clock that numbered them, hours by what stands in the record.
    let (first, last) = (now().min(chrono::Utc::now()), now().max(chrono::Utc::now()));
    let (early, soon) = (first - TimeDelta::days(1), last + TimeDelta::hours(2));
    assert!(!store.clean_launches(early).await.unwrap());
    assert_eq!(
        store
            .launches(&LaunchFilter::default(), 10)
            .await
            .unwrap()
            .len(),
        2
    );
    assert!(store.clean_launches(soon).await.unwrap());
    assert!(store.launch_hours(0).await.unwrap().is_empty());
    assert!(store.launches_by_tool(0).await.unwrap().is_empty());
    assert!(!store.clean_launches(soon).await.unwrap());
    assert!(
        store
            .launches(&LaunchFilter::default(), 10)
            .await
            .unwrap()
            .is_empty()
    );
}

#[rstest]
#[actix_web::test]
async fn launches_of_the_same_person_in_the_same_thing_are_near(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let database = Database::new(kind).await;
    let store = &database.store;
    let of = |n: i64, user: Option<&str>, session: Option<i64>| LaunchRecord {
        noted: Noted {
            not_enrolled: None,
            server: None,
            user: user.map(str::to_owned),
            content: Some(1),
            session,
            remembered: None,
        },
        ..launch(n)
    };
    let (anna, bob) = (Some("mdl_Anna"), Some("mdl_Bob"));
    let launches = vec![
        of(0, anna, Some(2)),
        of(1, bob, Some(2)),
        of(2, anna, Some(2)),
        of(3, anna, Some(3)),
        of(4, anna, None),
        of(5, anna, Some(2)),
        of(6, None, Some(2)),
        LaunchRecord {
            platform: "other".into(),
            ..of(7, anna, Some(2))
        },
    ];
    let happened = Happened {
        launches: launches.into_iter().collect(),
        ..Happened::default()
    };
    store.store_happened(&[happened]).await.unwrap();
    let mut all = store.launches(&LaunchFilter::default(), 10).await.unwrap();
    all.reverse();
    for (which, earlier, later) in [
        (2, vec![0], vec![5]),
        (1, vec![], vec![]),
        (4, vec![], vec![]),
        // Whoever it was: what anybody did there.
        (6, vec![5, 2, 1, 0], vec![]),
    ] {
        let launch: &StoredLaunch = &all[which];
        for (side, expected) in [(Side::Earlier, earlier), (Side::Later, later)] {
            let near = store.launches_near(launch, side, 10).await.unwrap();
            let expected: Vec<_> = expected.iter().map(|n: &usize| all[*n].clone()).collect();
            assert_eq!(near, expected, "{which} {side:?}");
        }
    }
}

#[actix_web::test]
async fn what_is_being_stored_ends_when_the_database_goes_away() {
    let database = Database::new(Kind::Postgres).await;
    let mut tx = database.store.begin().await.unwrap();
    let Tx::Postgres(_, presence) = &tx else {
        unreachable!("it is PostgreSQL");
    };
    presence.turn(Some("gone"));
    let stored = Store::insert_launches(&mut tx, &[launch(1)], &[], None).await;
    assert!(
        matches!(stored, Err(StoreError::Unavailable(_))),
        "{stored:?}"
    );
}
