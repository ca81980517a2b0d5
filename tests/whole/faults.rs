//! What goes wrong around the gateway, where it is more than an error: a database that says nothing, one that takes
//! no changes, a full disk. Under load: `tests/faults/run`.

use std::sync::Arc;

use serde_json::json;

use crate::support::{
    Answer, Database, Gateway, Kind, Network, Peer, Setup, apply, binary_on_a_small_disk,
};

const LEARN: &str = "/lams/tool/mdquiz10/learning.do?mode=learner&toolSessionID=2";
const CONTENT: &str = "/tools/mdquiz10/contents/1";

/// Sets a flag: something that has to be written.
async fn write(gateway: &Gateway) -> u16 {
    let page = gateway
        .call("PATCH", CONTENT, Some(json!({"runOffline": false})))
        .await;
    if page.status != 200 {
        page.refused(503);
        assert!(page.headers.contains_key("retry-after"));
    }
    page.status
}

async fn is_ready(gateway: &Gateway) -> bool {
    gateway.get("/readyz").await.status == 200
}

/// Content 1, saved as 555, and session 2 of it, which every worker knows.
async fn with_known_session(gateway: &Gateway) {
    gateway.saved_content("mdquiz10", 1, "555").await;
    gateway.session("mdquiz10", 2, 1).await;
    for _ in 0..20 {
        gateway.get_signed(LEARN, "mdl_Anna").await.location();
    }
}

/// A gateway that reaches its PostgreSQL over a network that can be cut.
async fn over_a_network(peer: &Peer) -> (Gateway, Network) {
    let database = Database::new(Kind::Postgres).await;
    let network = Network::to(&database);
    let setup = Setup {
        adapter_page: peer.url.clone(),
        ..Setup::default()
    };
    assert!(apply(&database, &setup.file(), &[]).status.success());
    let setup = Setup {
        environment: vec![("TOOLGATE_DATABASE_URL", network.url.clone())],
        ..setup
    };
    let database = Arc::new(database);
    let gateway = {
        let (database, setup) = (database.clone(), setup.clone());
        // Beside this thread, on which the network is.
        let started = tokio::task::spawn_blocking(|| Gateway::start_on(database, setup));
        started.await.unwrap()
    };
    (gateway, network)
}

#[actix_web::test]
async fn a_database_that_says_nothing_any_more_is_done_without_and_then_reached_anew() {
    let peer = Peer::start(Answer::Ids(700)).await;
    let (gateway, network) = over_a_network(&peer).await;
    with_known_session(&gateway).await;

    network.cut();
    // More than all connections for reading, each of which is given up.
    let learners = (0..40).map(|_| gateway.get_signed(LEARN, "mdl_Anna"));
    for page in futures_util::future::join_all(learners).await {
        page.location();
    }
    assert_eq!(write(&gateway).await, 503);
    assert!(!is_ready(&gateway).await);

    network.mend();
    Gateway::until("it is ready again", || is_ready(&gateway)).await;
    for _ in 0..20 {
        assert_eq!(write(&gateway).await, 200);
        gateway.session("mdquiz10", 3, 1).await;
        gateway
            .call("DELETE", "/tools/mdquiz10/sessions/3", None)
            .await;
    }
}

#[actix_web::test]
async fn a_database_that_takes_no_changes_is_no_defect_but_away() {
    let (gateway, _peer) = Gateway::with_session(Kind::Postgres, Setup::default()).await;
    let read_only = |on: bool| {
        let gateway = &gateway;
        let sql = format!(
            "do $$ begin execute format('alter database %I set default_transaction_read_only = {on}', \
             current_database()); end $$"
        );
        async move {
            // Whoever may not write may not undo it either.
            gateway
                .database
                .execute(&format!("begin read write; {sql}; commit"))
                .await;
            // It holds for new connections.
            gateway.database.lock_out().await;
            gateway.database.let_in().await;
            Gateway::until("it is ready", || is_ready(gateway)).await;
        }
    };
    read_only(true).await;
    assert_eq!(write(&gateway).await, 503);
    gateway.get_signed(LEARN, "mdl_Anna").await.location();
    read_only(false).await;
    Gateway::until("it writes again", || async { write(&gateway).await == 200 }).await;
}

#[actix_web::test]
async fn an_embedded_database_without_room_goes_on_once_it_has_some() {
    let (mut gateway, _peer) = Gateway::with_session(Kind::Sqlite, Setup::default()).await;
    gateway.kill();
    let (database, setup) = (gateway.database.clone(), gateway.setup.clone());
    let gateway = Gateway::start_as(binary_on_a_small_disk(), database, setup);
    gateway.get_signed(LEARN, "mdl_Anna").await.location();
    assert_eq!(write(&gateway).await, 200);
    gateway.limit_files("1");
    for _ in 0..3 {
        assert_eq!(write(&gateway).await, 503);
        assert!(!is_ready(&gateway).await);
        gateway.get_signed(LEARN, "mdl_Anna").await.location();
    }
    gateway.limit_files("unlimited");
    // Nobody but who asks has to write for that.
    assert!(is_ready(&gateway).await);
    Gateway::until("it writes again", || async { write(&gateway).await == 200 }).await;
    assert!(
        gateway
            .log()
            .contains("launch records wait for the database"),
        "what happened in between waits, too: {}",
        gateway.log()
    );
}

#[actix_web::test]
async fn an_intent_whose_commit_was_not_heard_of_is_taken_back_and_keeps_nobody_out() {
    let peer = Peer::start(Answer::Ids(700)).await;
    let (gateway, network) = over_a_network(&peer).await;
    gateway.saved_content("mdquiz10", 1, "555").await;
    // A commit of the journal takes its time.
    let slow = "create function slow() returns trigger language plpgsql as 'begin perform pg_sleep(1); return null; end';
        create constraint trigger slow after insert on journal deferrable initially deferred
        for each row execute function slow()";
    gateway.database.execute(slow).await;
    let ask = || {
        let body = json!({"toolContentID": 1});
        gateway.call("PUT", "/tools/mdquiz10/sessions/2", Some(body))
    };
    let cut = async {
        let commits = "select count(*) from pg_stat_activity
            where datname = current_database() and state = 'active' and query ilike 'commit%'";
        Gateway::until("the intent is being written down", || async {
            gateway.database.number(commits).await > 0
        })
        .await;
        network.cut();
    };
    let (page, ()) = futures_util::future::join(ask(), cut).await;
    assert_eq!(page.refused(503), "database-away");
    let written = "select count(*) from journal";
    Gateway::until("it is written down all the same", || async {
        gateway.database.number(written).await == 1
    })
    .await;
    assert_eq!(peer.requests().len(), 0);

    network.mend();
    Gateway::until("it is ready again", || is_ready(&gateway)).await;
    gateway
        .database
        .execute("drop trigger slow on journal")
        .await;
    let failed = "select count(*) from journal where state = 'failed'";
    Gateway::until("it is taken back", || async {
        gateway.database.number(failed).await == 1
    })
    .await;
    assert_eq!(ask().await.status, 201);
    assert_eq!(peer.requests().len(), 1);
}
