//! `magpie`: the command line over the library of the same name.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use magpie::{
    admin,
    config::{Config, Flags},
    doctor, document, serve, wiring,
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
    /// Looks whether everything the server needs is in order.
    Doctor,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Command::Openapi { module } = &cli.command {
        return done(document::print(module.as_deref()));
    }
    if matches!(cli.command, Command::Events) {
        return done(document::print_events());
    }
    let config = match Config::load(&cli.flags) {
        Ok(config) => config,
        Err(faults) => {
            for fault in faults {
                eprintln!("magpie: {fault}");
            }
            return ExitCode::from(2);
        }
    };
    log(&config);
    // TLS to PostgreSQL and NATS uses one provider, chosen here.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return done(Err(error.into())),
    };
    done(runtime.block_on(async {
        match cli.command {
            Command::Serve => serve::run(config).await,
            Command::Migrate => wiring::open(&config, true).map(|_| println!("the database is up to date")),
            Command::Admin(admin) => admin::run(config, admin).await,
            Command::Doctor => doctor::run(&config).await,
            Command::Openapi { .. } | Command::Events => Ok(()),
        }
    }))
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

/// Structured logs: what people typed is escaped by the formatter.
fn log(config: &Config) {
    use tracing_subscriber::{EnvFilter, fmt};
    let filter = EnvFilter::try_new(&config.log).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if config.log_json {
        builder.json().init();
    } else {
        builder.init();
    }
}
