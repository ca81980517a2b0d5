//! What is known of the disk of an embedded database.

use super::*;

#[actix_web::test]
async fn a_database_that_took_nothing_is_tried_out_until_it_takes_something() {
    let database = Database::new(Kind::Sqlite).await;
    let store = &database.store;
    let Db::Sqlite(writer, _) = &store.write else {
        panic!("it is embedded");
    };
    let turn = |pragma| sqlx::query(pragma).execute(writer);
    turn("pragma query_only = on").await.unwrap();
    assert!(store.ping().await.is_ok(), "nothing was written yet");
    let (key, place) = (content_key(1), place());
    assert!(store.content_or_new(&key, &place, now()).await.is_err());
    for _ in 0..2 {
        assert!(store.ping().await.is_err());
    }
    turn("pragma query_only = off").await.unwrap();
    assert!(store.ping().await.is_ok());
}
