//! `toolgate admin`: sysadmins from a shell. What whoever has no way in any more turns to.

use std::io::{BufRead, IsTerminal};

use anyhow::Context;
use chrono::Utc;
use clap::Subcommand;
use secrecy::SecretString;

use toolgate::domain::audit::Actor;
use toolgate::flows::Gateway;
use toolgate::flows::sysadmin::people::{self, Wanted};
use toolgate::opening;
use toolgate::settings::Settings;

/// What to do.
#[derive(Subcommand)]
pub enum AdminCommand {
    /// Creates a sysadmin. Asks for the password, or reads it from standard input where that is no
    /// terminal.
    Add {
        /// The name to sign in with; case does not count.
        name: String,
    },
    /// Prints the sysadmins, a line each.
    List,
    /// Sets a forgotten password, asked for as with add, and ends all sessions of that sysadmin.
    Password {
        /// The sysadmin's name.
        name: String,
    },
    /// Removes a sysadmin and ends all their sessions; never the last one.
    Remove {
        /// The sysadmin's name.
        name: String,
    },
}

/// Does it, and answers what is to be said.
pub async fn run(settings: &Settings, command: AdminCommand) -> anyhow::Result<String> {
    let opened = opening::open(settings).await?;
    let gateway = Gateway::for_command(settings, &opened).await?;
    let actor = Actor::CommandLine;
    let said = match command {
        AdminCommand::Add { name } => {
            let (password, repeated) = ask_for_password()?;
            let wanted = Wanted {
                name: &name,
                password,
                repeated,
            };
            people::add(&gateway, &actor, wanted, Utc::now()).await?;
            format!("added {name}\n")
        }
        AdminCommand::List => {
            let line = |time: Option<chrono::DateTime<Utc>>| {
                time.map_or("never".to_owned(), |time| {
                    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
                })
            };
            let sysadmins = people::list(&gateway).await?;
            sysadmins
                .into_iter()
                .map(|one| format!("{}, last sign-in {}\n", one.name, line(one.last_sign_in_at)))
                .collect()
        }
        AdminCommand::Password { name } => {
            // Before anybody types a password in vain.
            let sysadmin = people::named(&gateway, &name).await?;
            let passwords = ask_for_password()?;
            people::reset_password(&gateway, &sysadmin.name, passwords, Utc::now()).await?;
            format!("set the password of {}\n", sysadmin.name)
        }
        AdminCommand::Remove { name } => {
            let sysadmin = people::named(&gateway, &name).await?;
            people::remove(&gateway, &actor, &sysadmin.id, Utc::now()).await?;
            format!("removed {}\n", sysadmin.name)
        }
    };
    opened.store.close().await;
    Ok(said)
}

/// The password and, from a terminal, what was typed the second time. Nothing that is typed is shown.
fn ask_for_password() -> anyhow::Result<(SecretString, SecretString)> {
    let input = std::io::stdin();
    if input.is_terminal() {
        let ask = |prompt: &str| {
            rpassword::prompt_password(prompt)
                .map(SecretString::from)
                .context("cannot read the password")
        };
        return Ok((ask("Password: ")?, ask("The same once more: ")?));
    }
    let mut line = String::new();
    input
        .lock()
        .read_line(&mut line)
        .context("cannot read the password from standard input")?;
    let password = line.strip_suffix('\n').unwrap_or(&line);
    let password = password.strip_suffix('\r').unwrap_or(password);
    Ok((password.into(), password.into()))
}
