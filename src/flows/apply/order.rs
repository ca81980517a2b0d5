//! The order of LMS connections, in which links are tried: that of the file for those that it names, in the
//! places that they had; new ones come last, and what the file does not name stays where it is.

use std::collections::BTreeMap;

use crate::store::{ServerRecord, StoredConfiguration};

/// Gives the connections of a file their places. `named` are the servers of the file, in its order.
pub(super) fn give_places(
    before: &StoredConfiguration,
    after: &mut StoredConfiguration,
    named: &[String],
) {
    let connected = |id: &&String| {
        after
            .servers
            .get(*id)
            .is_some_and(|s| s.enrollment.is_some())
    };
    let named: Vec<String> = named.iter().filter(connected).cloned().collect();
    let places = places(before, &named);
    for (id, place) in places {
        let record = after.servers.get_mut(&id);
        if let Some(connection) = record.and_then(|server| server.enrollment.as_mut()) {
            connection.position = place;
        }
    }
}

/// The servers that have a connection, in the order in which links are tried.
pub fn connected(stored: &StoredConfiguration) -> Vec<&ServerRecord> {
    let place = |server: &&ServerRecord| {
        let connection = server.enrollment.as_ref();
        connection.map(|connection| connection.position)
    };
    let servers = stored.servers.values();
    let mut connected: Vec<_> = servers
        .filter(|server| server.enrollment.is_some())
        .collect();
    connected.sort_by_key(place);
    connected
}

fn places(before: &StoredConfiguration, named: &[String]) -> BTreeMap<String, i64> {
    let present = connected(before).into_iter();
    let present: Vec<(i64, &String)> = present
        .filter_map(|server| Some((server.enrollment.as_ref()?.position, &server.id)))
        .collect();
    let last = present.last().map_or(0, |(place, _)| *place);
    let vacated = present.into_iter().filter(|(_, id)| named.contains(id));
    let free = vacated.map(|(place, _)| place).chain(last + 1..);
    named.iter().cloned().zip(free).collect()
}
