//! The command line: reads what is asked for and calls it.

mod admin_command;
mod enroll_command;
mod journal_command;
mod lms_command;
mod memory;
mod sign_command;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use admin_command::AdminCommand;
use journal_command::JournalCommand;
use lms_command::LmsCommand;
use sign_command::SignLogin;
use toolgate::demo::Demo;
use toolgate::domain::audit::Actor;
use toolgate::flows::check::Checked;
use toolgate::flows::{Gateway, apply, check, rotate};
use toolgate::opening;
use toolgate::settings::{DatabaseUrl, LogFormat, Settings};
use toolgate::web::{Application, log_panics};

/// A tool-adapter gateway: takes LAMS's authors, learners and monitors to activities that live in
/// another LMS.
///
/// Settings come from the environment (TOOLGATE_…) or from a TOML file; README.md lists them.
#[derive(Parser)]
#[command(name = "toolgate", version)]
struct Arguments {
    /// A TOML file of settings; the environment wins over it.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the gateway.
    Serve,
    /// Makes platforms, servers, tools and their mapping match a TOML file.
    ///
    /// What the file does not name stays. On a mistake nothing changes.
    Apply {
        /// The file; `-` reads standard input.
        file: PathBuf,
        /// The file is a JSON list in the form of Joanie's JOANIE_LMS_BACKENDS: LMS connections.
        ///
        /// JOANIE_LMS_MOODLE_STUDENT_ROLE_ID and MOODLE_AUTH_METHOD are taken from the environment.
        #[arg(long)]
        joanie: bool,
        /// Only says what would change.
        #[arg(long)]
        dry_run: bool,
    },
    /// Seals every stored secret anew with the first key of TOOLGATE_SECRET_KEY.
    ///
    /// All of them or none. Once it is done no stored secret needs the older keys of the list.
    RotateKeys {
        /// Only says which keys what is stored is sealed by.
        #[arg(long)]
        dry_run: bool,
    },
    /// Prints what is configured now, in the form of apply.
    ExportConfig {
        /// Writes { env = "NAME" } where there is a secret, in place of leaving it out.
        #[arg(long)]
        references: bool,
    },
    /// Checks settings, database and, for each enabled server, its connection; a line for each.
    ///
    /// Brings the tables of a database that is there up to date, as every command does. Exit status 0 only
    /// when all hold.
    Check,
    /// Runs the gateway between a sample LAMS and a sample external LMS, connected already.
    ///
    /// On loopback, on free ports, with secrets and an embedded database of its own. Prints the address
    /// to open: that of the external LMS, whose teacher goes into LAMS from there.
    Demo {
        /// Where the database goes; else into a new folder under the system's temporary files.
        #[arg(long)]
        folder: Option<PathBuf>,
    },
    /// Shows and settles calls to external servers whose outcome is not known.
    #[command(subcommand)]
    Journal(JournalCommand),
    /// Which LMS a link belongs to, and enrollments from a file.
    #[command(subcommand)]
    Lms(LmsCommand),
    /// Creates, lists and removes sysadmins, and sets their passwords.
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Prints PATH with ts, uid and sig added, for trying a launch by hand.
    Sign {
        /// The platform's id.
        platform: String,
        /// The LAMS login of who launches, such as mdl_Bill.
        user: String,
        /// Path and query, such as /lams/tool/mdquiz10/learning.do?mode=learner&toolSessionID=5
        path: String,
    },
    /// Prints the address of a LoginRequest, hashed, for trying how an external LMS sends its user into LAMS.
    SignLogin(SignLogin),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if matches!(arguments.command, Command::Serve | Command::Demo { .. }) {
        memory::begin_with_limits();
    }
    let outcome = actix_web::rt::System::new().block_on(run(arguments));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("toolgate: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let settings = Settings::load(arguments.config.as_deref());
    let checks = matches!(arguments.command, Command::Check);
    let settings = match settings {
        Err(error) if checks => return all_hold(&[failed("settings", &error)]),
        settings => settings?,
    };
    // Commands answer on standard output; of their log only what goes wrong is worth a line.
    let serves = matches!(arguments.command, Command::Serve);
    start_log(
        &settings,
        if serves {
            "info,sqlx=warn,actix_server=warn"
        } else {
            "warn"
        },
    );
    match arguments.command {
        Command::Demo { folder } => run_demo(settings, folder).await,
        Command::Serve => serve(&settings).await,
        Command::Apply {
            file,
            joanie,
            dry_run,
        } => apply_file(&settings, &file, joanie, dry_run).await,
        Command::RotateKeys { dry_run } => rotate_keys(&settings, dry_run).await,
        Command::ExportConfig { references } => export_config(&settings, references).await,
        Command::Check => check(&settings).await,
        Command::Lms(command) => {
            let answer = lms_command::run(&settings, command).await?;
            say(answer.text)?;
            match answer.failed {
                Some(words) => anyhow::bail!(words),
                None => Ok(()),
            }
        }
        Command::Journal(command) => say(journal_command::run(&settings, command).await?),
        Command::Admin(command) => say(admin_command::run(&settings, command).await?),
        Command::Sign {
            platform,
            user,
            path,
        } => say(sign_command::launch(&settings, [&platform, &user, &path]).await?),
        Command::SignLogin(login) => say(sign_command::login(&settings, &login).await?),
    }
}

async fn serve(settings: &Settings) -> anyhow::Result<()> {
    let application = Application::build(settings).await?;
    say(format!(
        "toolgate listens on http://{}\n",
        application.address()
    ))?;
    match application.first_start().await {
        Ok(None) => {}
        Ok(Some(address)) => say(format!(
            "There is no sysadmin yet. Within 24 hours this address makes the first, once:\n  {address}\n"
        ))?,
        // Launches do not wait for that.
        Err(error) => {
            tracing::warn!(%error, "whether there is a sysadmin is not known just now; toolgate admin add makes one");
        }
    }
    tracing::info!(address = %application.address(), public_url = application.public_url(), "listening");
    application.run_until(told_to_stop()?).await?;
    Ok(())
}

async fn run_demo(settings: Settings, folder: Option<PathBuf>) -> anyhow::Result<()> {
    let stop = told_to_stop()?;
    let demo = Demo::start(settings, folder).await?;
    println!("\n  Open {}\n", demo.address());
    for place in demo.places().lines() {
        println!("  {place}");
    }
    if let Some(address) = demo.first_start().await? {
        println!("\n  Its first sysadmin  {address}");
    }
    println!("\n  Ctrl-C ends it.\n");
    demo.run_until(stop).await?;
    Ok(())
}

/// What stands in a file; for `-` in standard input.
fn read_named(file: &Path) -> anyhow::Result<String> {
    let text = match file.as_os_str() == "-" {
        true => std::io::read_to_string(std::io::stdin()),
        false => std::fs::read_to_string(file),
    };
    text.with_context(|| format!("cannot read {}", file.display()))
}

async fn apply_file(
    settings: &Settings,
    file: &Path,
    joanie: bool,
    dry_run: bool,
) -> anyhow::Result<()> {
    let beside = apply::JoanieSettings::from_environment();
    let name = file.display();
    let text = read_named(file)?;
    // To say what would change, nothing is made that is not there yet.
    let nothing_yet = matches!(&settings.database, DatabaseUrl::Sqlite(path) if !path.exists());
    let report = if dry_run && nothing_yet && joanie {
        apply::plan_joanie_on_nothing(&text, &beside)
    } else if dry_run && nothing_yet {
        apply::plan_on_nothing(&text)
    } else {
        let opened = opening::open(settings).await?;
        let vault = opened.secret_keys.vault();
        let (store, actor) = (&opened.store, Actor::CommandLine);
        let report = match joanie {
            true => apply::apply_joanie(store, &vault, &actor, (&text, &beside), dry_run).await,
            false => apply::apply(store, &vault, &actor, &text, dry_run).await,
        };
        opened.store.close().await;
        report
    };
    let report = report.with_context(|| format!("{name} was not applied"))?;
    say(if dry_run {
        report.as_plan().to_string()
    } else {
        report.to_string()
    })
}

async fn rotate_keys(settings: &Settings, dry_run: bool) -> anyhow::Result<()> {
    let opened = opening::open(settings).await?;
    let vault = opened.secret_keys.vault();
    let rotated = rotate::rotate(&opened.store, &vault, &Actor::CommandLine, dry_run).await?;
    opened.store.close().await;
    say(rotated)
}

async fn export_config(settings: &Settings, references: bool) -> anyhow::Result<()> {
    let opened = opening::open(settings).await?;
    let stored = opened.store.configuration().await?;
    opened.store.close().await;
    let secrets = match references {
        true => apply::Secrets::FromEnvironment,
        false => apply::Secrets::LeftOut,
    };
    say(apply::export(&stored, secrets)?)
}

/// Answers on standard output; that nobody reads it to its end is no failure.
fn say(text: impl std::fmt::Display) -> anyhow::Result<()> {
    match write!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

async fn check(settings: &Settings) -> anyhow::Result<()> {
    let settings_hold = Checked {
        holds: true,
        words: "settings".to_owned(),
    };
    let kind = match &settings.database {
        DatabaseUrl::Postgres(_) => "PostgreSQL",
        DatabaseUrl::Sqlite(path) if !path.exists() => {
            let nothing = format!(
                "there is no {} yet; toolgate serve makes it",
                path.display()
            );
            return all_hold(&[settings_hold, failed("database", &nothing)]);
        }
        DatabaseUrl::Sqlite(_) => "SQLite",
    };
    let opened = match opening::open(settings).await {
        Ok(opened) => opened,
        Err(error) => return all_hold(&[settings_hold, failed("database", &error)]),
    };
    let database = match Gateway::for_command(settings, &opened).await {
        Err(error) => vec![failed("database", &error)],
        Ok(gateway) => {
            let words = format!("database: {kind}, its tables are up to date");
            let mut checked = vec![Checked { holds: true, words }];
            checked.extend(check::servers(&gateway).await);
            checked
        }
    };
    opened.store.close().await;
    all_hold(&[vec![settings_hold], database].concat())
}

fn failed(what: &str, error: &dyn std::fmt::Display) -> Checked {
    Checked {
        holds: false,
        words: format!("{what}: {error}"),
    }
}

/// Says what was checked; an error where not all of it holds.
fn all_hold(checked: &[Checked]) -> anyhow::Result<()> {
    let lines: String = checked
        .iter()
        .map(|checked| format!("{checked}\n"))
        .collect();
    say(lines)?;
    match checked.iter().filter(|checked| !checked.holds).count() {
        0 => Ok(()),
        count => anyhow::bail!("{count} of {} checks failed", checked.len()),
    }
}

/// Ready when the system or a person at the keyboard says stop.
fn told_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Log lines go to standard error; standard output is for what a command answers.
fn start_log(settings: &Settings, otherwise: &str) {
    let filter = settings.log.as_deref().unwrap_or(otherwise);
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new(otherwise));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match settings.log_format {
        LogFormat::Text => log.with_target(false).init(),
        LogFormat::Json => log
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .init(),
    }
    log_panics();
}
