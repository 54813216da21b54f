//! `trainer serve`: a page and an HTTP API that say what samples are, for programs on this
//! machine. docs/serve.md describes the API.

mod ask;
mod connection;
mod framing;
mod guard;
mod json;
mod openapi;
mod predict;
mod reply;
mod routes;
mod server;

use std::ffi::OsString;
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;
use crate::help;
use crate::model::Model;
use crate::pool::Threads;
use crate::process::Process;
use crate::stop::Ending;
use crate::streams;
use crate::words::plural;
use server::{App, Limits};

/// As those of the other commands, but that to be stopped is how a server ends.
const EXIT_CODES: &str = "\
Exit codes:
  0    ended by Ctrl-C, a request to terminate, or the end of its terminal
  1    it failed: the model or the port
  2    the settings are wrong: command line or environment";

const EXAMPLES: &str = "\
Examples:
  trainer serve -m runs/mnist               draw digits at 127.0.0.1:8080
  trainer serve -m runs/mnist --port 0      on any free port, which is printed
  curl --data-binary @photo.jpg -H 'Content-Type: image/jpeg' \\
      http://127.0.0.1:8080/api/predict     ask it from a program";

/// Serve a page to draw on, and answer programs over HTTP
///
/// The page and the API are for this machine alone: the server listens on 127.0.0.1, and
/// answers no page of another site. The first line on stdout is its address. Nothing is
/// written. It ends by Ctrl-C, with exit code 0.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = help::after_with(EXAMPLES, EXIT_CODES))]
pub(crate) struct Args {
    /// Model: a model.safetensors, or the directory of a run
    #[arg(short, long, value_name = "MODEL")]
    model: PathBuf,

    /// Port to listen on; 0 picks a free one
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    port: u16,

    /// Requests that are computed at a time, 1 to 1024 [default: one for each core]
    #[arg(long, value_name = "N")]
    threads: Option<OsString>,

    /// Print nothing but the address and errors
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,

    /// Print a line for each request, on stderr
    #[arg(long, short)]
    verbose: bool,

    /// Milliseconds to wait for the head of a request, and for a thread; three times that for
    /// a body and for an answer to be taken. Tests make it short.
    #[arg(long, hide = true, value_name = "MS", default_value_t = 10_000)]
    wait: u64,

    /// Connections at a time. Tests make them few.
    #[arg(long, hide = true, value_name = "N", default_value_t = 512)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    connections: u16,
}

/// The JSON of a request, written again in the same form. No value of it is lost.
pub(crate) fn json_again(text: &[u8]) -> Result<String, String> {
    json::body(text).map(|body| json::written(&body))
}

/// The same of rows, one after another.
pub(crate) fn json_lines_again(text: &[u8]) -> Result<String, String> {
    let rows: Vec<json::Row> = json::lines(text).collect::<Result<_, _>>()?;
    let lines = rows.iter().map(|row| json::written(row) + "\n");
    Ok(lines.collect())
}

pub(crate) fn run(args: &Args, process: &Process) -> Result<(), Error> {
    let Threads { threads, .. } = Threads::new(args.threads.as_deref())?;
    let model = Model::open(&args.model)?;
    let listener = listen(args.port)?;
    let port = listener.local_addr().map_err(Error::Listen)?.port();
    let limits = Limits {
        connections: args.connections.into(),
        threads,
        wait: Duration::from_millis(args.wait),
    };
    // The process ends with the server, and so does what borrows the model.
    let model: &'static Model = Box::leak(Box::new(model));
    let app = Arc::new(App::new(model, process.isa, port, limits, args.verbose)?);

    let (served, quiet) = (Arc::clone(&app), args.quiet);
    let last = move |signal: crate::stop::Signal| {
        if !quiet {
            let (name, count) = (signal.name(), plural(served.answered(), "request"));
            let _ = writeln!(io::stderr(), "ended by {name}; answered {count}");
        }
        // To be stopped is how a server ends.
        0
    };
    Ending::listen().and_then(|ending| ending.end(last)).map_err(Error::Signals)?;
    streams::print(&format!("http://{}:{port}/", Ipv4Addr::LOCALHOST))?;
    if !args.quiet {
        let (path, parameters) = (model.path.display(), model.network.architecture().parameters());
        let text = format!("serving {path} ({parameters} parameters); Ctrl-C ends it");
        let _ = writeln!(io::stderr(), "{}", crate::error::one_line(&text));
    }
    server::run(&app, listener)
}

/// Listens on loopback alone: whoever can reach this machine over a network cannot reach the
/// server.
fn listen(port: u16) -> Result<TcpListener, Error> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => Error::PortTaken { port },
        io::ErrorKind::PermissionDenied => Error::PortDenied { port },
        _ => Error::Listen(source),
    })
}
