//! `toolgate journal`: calls to external servers whose outcome is not known, and what was left behind there.

use std::time::Duration;

use clap::Subcommand;

use toolgate::domain::audit::Actor;
use toolgate::flows::Gateway;
use toolgate::flows::journal::{self, JournalError, Retried};
use toolgate::opening;
use toolgate::settings::Settings;

/// What `toolgate journal` does.
#[derive(Subcommand)]
pub(crate) enum JournalCommand {
    /// Prints the calls that are under way or unsettled, and what still stands on external servers though
    /// it was removed here, a line each.
    List,
    /// Sends a call again, under the same rid. For when it made nothing, or where the server knows rid.
    Retry {
        /// The entry's id.
        id: String,
    },
    /// Takes an id found on the external server as what the call made.
    Adopt {
        /// The entry's id.
        id: String,
        /// The id on the external server.
        ext_id: String,
    },
    /// Gives a call up: the next same one is sent anew.
    Drop {
        /// The entry's id.
        id: String,
    },
}

/// What was recorded of a command's calls has so long to be stored.
const RECORDS: Duration = Duration::from_secs(2);

/// Does it, and answers what to say.
pub(crate) async fn run(settings: &Settings, command: JournalCommand) -> anyhow::Result<String> {
    let opened = opening::open(settings).await?;
    let gateway = Gateway::for_command(settings, &opened).await?;
    // Keeps the lease of a call that is sent again.
    let keeper = tokio::spawn(journal::keep_leases(gateway.clone()));
    let answer = settle(&gateway, command).await;
    keeper.abort();
    if !gateway.records_stored(RECORDS).await {
        tracing::error!("records of calls are lost: the database did not take them in time");
    }
    opened.store.close().await;
    Ok(answer?)
}

/// Does what an operator wants of the journal; what to say of it.
async fn settle(gateway: &Gateway, command: JournalCommand) -> Result<String, JournalError> {
    let by = Actor::CommandLine;
    Ok(match command {
        JournalCommand::List => {
            let entries = journal::list(gateway).await?;
            let left = journal::left_behind(gateway).await?;
            let (more, more_left) = journal::beyond(gateway, &entries, &left).await?;
            let entries = entries.iter().map(|entry| format!("{entry}\n"));
            let left = left.iter().map(|left| format!("{left}\n"));
            let mut all: String = entries.chain(left).collect();
            if more + more_left > 0 {
                all += &format!(
                    "(and {more} unsettled and {more_left} left behind that came later)\n"
                );
            }
            all
        }
        JournalCommand::Retry { id } => match journal::retry(gateway, &by, &id).await? {
            Retried::Made(ext_id) => format!("made {ext_id}\n"),
            Retried::Stored => "stored\n".to_owned(),
            Retried::Deleted(ext_id) => format!("deleted {ext_id}\n"),
            Retried::UsedAgain(ext_id) => {
                format!("{ext_id} is used again: struck from the list, not deleted\n")
            }
        },
        JournalCommand::Adopt { id, ext_id } => {
            let adopted = journal::adopt(gateway, &by, &id, &ext_id).await?;
            format!("adopted {adopted}\n")
        }
        JournalCommand::Drop { id } => {
            journal::drop_entry(gateway, &by, &id).await?;
            "dropped\n".to_owned()
        }
    })
}
