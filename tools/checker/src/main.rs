//! Command line of the checker. Exit code 0: the claims hold; 1: at least one is violated; 2: bad or vacuous input.

use std::path::PathBuf;
use std::process::ExitCode;

use checker::format::History;
use checker::report::Claim;
use clap::Parser;

/// Decides from a written history whether the promises C1–C8 and C12 hold.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Files of one history, as JSON Lines.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    /// Claims that the history has to exercise, such as C7,C12.
    #[arg(long, value_delimiter = ',', ignore_case = true)]
    require: Vec<Claim>,
    /// Violations shown of each claim (JSON always has all).
    #[arg(long, default_value_t = 20)]
    limit: usize,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let history = match History::read(&arguments.files) {
        Ok(history) => history,
        Err(error) => {
            if arguments.json {
                println!("{}", serde_json::json!({"exit_code": 2, "error": format!("{error:#}")}));
            } else {
                println!("bad input: {error:#}\n0 passed, {} failed", Claim::ALL.len());
            }
            return ExitCode::from(2);
        }
    };
    let report = checker::check(&history, &arguments.require);
    if arguments.json {
        println!("{:#}", report.json());
    } else {
        print!("{}", report.text(arguments.limit));
    }
    ExitCode::from(report.exit_code())
}
