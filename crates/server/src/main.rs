//! `magpie`: the command line over the library of the same name.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use magpie::{
    admin, backup,
    config::{self, Flags},
    doctor, document, log, metrics, serve, telemetry, wiring,
};

/// Hashing a password takes 19 MiB for a moment, on changing threads. The
/// system's allocator keeps such blocks for each thread: forty sign-ins at once
/// left a server at 600 MB.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The work platform that an organisation runs for itself.
#[derive(Debug, Parser)]
#[command(name = "magpie", version)]
struct Cli {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves the organisation until it is told to stop.
    Serve,
    /// Brings the database to this release's form. SQLite does so by itself.
    Migrate,
    /// Work on the data of a server.
    #[command(subcommand)]
    Admin(admin::Admin),
    /// Prints the API document (OpenAPI 3.1).
    Openapi {
        /// One module's part alone.
        #[arg(long)]
        module: Option<String>,
    },
    /// Prints the document of realtime events and frames (JSON Schema).
    Events,
    /// Prints the documented configuration file, or with --check looks at the
    /// one in force.
    Config {
        /// Tells every fault, or what was set and where.
        #[arg(long)]
        check: bool,
    },
    /// Prints the table of metrics (Markdown).
    Metrics,
    /// Looks whether everything the server needs is in order. Ends with 1 where
    /// something is not.
    Doctor(doctor::Doctor),
    /// Asks the server that runs here whether it is alive; for containers.
    Health {
        /// Whether it should be given requests, too.
        #[arg(long)]
        ready: bool,
    },
    /// Makes a backup now, while the server runs or without it.
    Backup(backup::command::Backup),
    /// Fills an empty server from a backup, on either engine.
    Restore(backup::command::Restore),
    /// Brings the database to this release's form, after a backup.
    Upgrade(backup::upgrade::Upgrade),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Command::Openapi { module } = &cli.command {
        return done(document::print(module.as_deref()));
    }
    if matches!(cli.command, Command::Events) {
        return done(document::print_events());
    }
    if matches!(cli.command, Command::Metrics) {
        print!("{}", metrics::document());
        return ExitCode::SUCCESS;
    }
    if matches!(cli.command, Command::Config { check: false }) {
        print!("{}", config::document());
        return ExitCode::SUCCESS;
    }
    let loaded = match config::load(&cli.flags) {
        Ok(loaded) => loaded,
        Err(faults) => {
            for fault in faults {
                eprintln!("magpie: {fault}");
            }
            return ExitCode::from(2);
        }
    };
    if matches!(cli.command, Command::Config { .. }) {
        return checked(&loaded);
    }
    let config = loaded.config;
    // Commands are over before anybody could look at their traces.
    let serves = matches!(cli.command, Command::Serve);
    let (traces, exporter) = serves.then(|| telemetry::start(&config.telemetry)).flatten().unzip();
    let level = log::start(&config, traces);
    for hint in loaded.hints {
        tracing::warn!("{hint}");
    }
    // TLS to PostgreSQL and NATS uses one provider, chosen here.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return done(Err(error.into())),
    };
    let outcome = runtime.block_on(async {
        match cli.command {
            Command::Serve => serve::run(config, cli.flags, level, exporter).await,
            Command::Migrate => wiring::open(&config, true).map(|_| println!("the database is up to date")),
            Command::Admin(admin) => admin::run(config, admin).await,
            Command::Doctor(wanted) => doctor::run(&config, &wanted).await,
            Command::Health { ready } => doctor::alive(&config, ready).await,
            Command::Backup(args) => backup::command::backup(&config, args).await,
            Command::Restore(args) => backup::command::restore(&config, args).await,
            Command::Upgrade(args) => backup::upgrade::run(&config, &args).await,
            Command::Openapi { .. } | Command::Events | Command::Metrics | Command::Config { .. } => Ok(()),
        }
    });
    // A thread that hangs with its disk holds up no stop.
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    done(outcome)
}

fn done(outcome: anyhow::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("magpie: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Tells what was set, and where. Secrets are not shown.
fn checked(loaded: &config::Loaded) -> ExitCode {
    for given in &loaded.given {
        println!("{} = {} ({})", given.name, given.shown, given.source);
    }
    for hint in &loaded.hints {
        println!("note: {hint}");
    }
    println!("the configuration is valid; what is not listed has its default");
    ExitCode::SUCCESS
}
