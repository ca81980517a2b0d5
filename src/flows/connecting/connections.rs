//! LMS connections: the list in the order in which links are tried, saving, moving, removing.

use std::time::Duration;

use super::{save, serve, servers};
use crate::domain::audit::Actor;
use crate::domain::lms::overlaps;
use crate::flows::apply::{
    self, MadeFrom, Report, SaveError, WholeServer, WrittenEnrollment, connected, second_looks,
};
use crate::flows::{Gateway, Refusal};
use crate::store::{Connected, EnrollmentRecord, ServerRecord};

/// All connections.
pub struct Listing {
    /// Those that there are, in the order in which links are tried.
    pub connections: Vec<Listed>,
    /// The servers that have none, by id and name.
    pub without: Vec<(String, String)>,
    /// Where the links of one go to another, in sentences.
    pub overlaps: Vec<String>,
}

/// A connection in the list.
pub struct Listed {
    /// Its server, as it is stored.
    pub server: ServerRecord,
    /// It, as it is stored.
    pub connection: EnrollmentRecord,
    /// How long its LMS is left alone, where it failed just now or wants it so.
    pub left_alone: Option<Duration>,
    /// What is worth a second look.
    pub second_looks: Vec<String>,
}

/// All connections, and the servers that have none.
pub async fn list(gateway: &Gateway) -> Result<Listing, Refusal> {
    let stored = gateway.store.configuration().await?;
    let configuration = gateway.configuration();
    let listed = connected(&stored).into_iter().filter_map(|server| {
        let connection = server.enrollment.clone()?;
        let served = configuration.server(&server.id);
        let lms = served.and_then(|server| server.lms.as_ref());
        let left_alone = lms.and_then(|lms| {
            let outbound = gateway.outbound();
            let closed = outbound.lms_health(lms).closed_for;
            closed.max(outbound.left_alone_for(lms))
        });
        Some(Listed {
            second_looks: second_looks(&connection),
            server: server.clone(),
            connection,
            left_alone,
        })
    });
    let without = stored.servers.values();
    let without = without.filter(|server| server.enrollment.is_none());
    Ok(Listing {
        connections: listed.collect(),
        without: without
            .map(|server| (server.id.clone(), server.name.clone()))
            .collect(),
        overlaps: overlaps(&configuration.connections()),
    })
}

/// Gives the server that the form was made from a connection, or another one, or none.
pub async fn set(
    gateway: &Gateway,
    actor: &Actor,
    (server, made_from): (&ServerRecord, &MadeFrom),
    connection: Option<WrittenEnrollment>,
) -> Result<Report, SaveError> {
    let whole = WholeServer::with(server, connection);
    let object = (Connected::Server(&server.id), made_from);
    save(gateway, actor, object, vec![whole]).await
}

/// Has the links of one connection tried before those of the one that stands right before it, `above`.
pub async fn move_up(
    gateway: &Gateway,
    actor: &Actor,
    (moved, above): (&str, &str),
) -> Result<(), SaveError> {
    apply::save_order(&gateway.store, gateway.vault(), actor, (moved, above)).await?;
    serve(gateway).await;
    Ok(())
}

/// A server and its connection.
pub async fn find(
    gateway: &Gateway,
    id: &str,
) -> Result<(ServerRecord, EnrollmentRecord), Refusal> {
    let server = servers::find(gateway, id).await?;
    let connection = server.enrollment.clone();
    let connection = connection.ok_or(Refusal::NotConfigured("LMS connection"))?;
    Ok((server, connection))
}
