//! The command line: reads what is asked for and calls it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use toolgate::flows::{apply, sign};
use toolgate::opening;
use toolgate::settings::{LogFormat, Settings};
use toolgate::web::Application;

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
        /// Only says what would change.
        #[arg(long)]
        dry_run: bool,
    },
    /// Prints PATH with ts, uid and sig added, for trying a launch by hand.
    Sign {
        /// The platform's id.
        platform: String,
        /// The LAMS login of who launches, such as mdl_Bill.
        user: String,
        /// Path and query, such as /lams/tool/mdquiz10/learning.do?mode=learner&toolSessionID=5
        path: String,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
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
    let settings = Settings::load(arguments.config.as_deref())?;
    start_log(&settings);
    match arguments.command {
        Command::Serve => serve(&settings).await,
        Command::Apply { file, dry_run } => apply_file(&settings, &file, dry_run).await,
        Command::Sign {
            platform,
            user,
            path,
        } => {
            let opened = opening::open(&settings).await?;
            let vault = opened.secret_keys.vault();
            println!(
                "{}",
                sign::sign(&opened.store, &vault, &platform, &user, &path).await?
            );
            opened.store.close().await;
            Ok(())
        }
    }
}

async fn serve(settings: &Settings) -> anyhow::Result<()> {
    let application = Application::build(settings).await?;
    println!("toolgate listens on http://{}", application.address());
    tracing::info!(address = %application.address(), public_url = application.public_url(), "listening");
    application.run_until(told_to_stop()?).await?;
    Ok(())
}

async fn apply_file(settings: &Settings, file: &Path, dry_run: bool) -> anyhow::Result<()> {
    let name = file.display().to_string();
    let text = if name == "-" {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read_to_string(file)
    };
    let text = text.with_context(|| format!("cannot read {name}"))?;
    let opened = opening::open(settings).await?;
    let report = apply::apply(&opened.store, &opened.secret_keys.vault(), &text, dry_run).await;
    opened.store.close().await;
    let report = report.with_context(|| format!("{name} was not applied"))?;
    if dry_run {
        print!("{}", report.as_plan());
    } else {
        print!("{report}");
    }
    Ok(())
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
fn start_log(settings: &Settings) {
    let filter = EnvFilter::try_new(&settings.log).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match settings.log_format {
        LogFormat::Text => log.with_target(false).init(),
        LogFormat::Json => log
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .init(),
    }
}
