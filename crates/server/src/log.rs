//! The log: one event a line, on standard error. Whatever people typed, and
//! whatever another program answered, ends up in some event one day; so what
//! could begin a line, move a terminal's cursor or turn text around is escaped
//! at the very end, where nothing gets past.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use tracing_subscriber::{
    EnvFilter, Layer as _, Registry,
    filter::{FilterExt as _, filter_fn},
    fmt,
    fmt::MakeWriter,
    layer::SubscriberExt as _,
    reload,
};

use crate::{
    config::{Config, LogFormat},
    reload::LogLevel,
    telemetry::Traces,
};

/// Begins to log, for the rest of the process, and to make traces where they
/// are wanted. Gives what changes the level.
pub fn start(config: &Config, traces: Option<Traces>) -> LogLevel {
    let filter = EnvFilter::try_new(&config.log).unwrap_or_else(|_| EnvFilter::new("info"));
    let (filter, handle) = reload::Layer::<EnvFilter, Registry>::new(filter);
    let json = config.log_format == LogFormat::Json;
    let lines = Lines { json, to: io::stderr };
    // Colours would be control characters of our own among those of others.
    let layer = fmt::layer().with_ansi(false).with_writer(lines);
    let layer = if json { layer.json().boxed() } else { layer.boxed() };
    // Each has a filter of its own: a log of warnings alone takes no trace away.
    let logged = filter.and(filter_fn(|metadata| metadata.target() != store::SPANS));
    let layers: Vec<Traces> = std::iter::once(layer.with_filter(logged).boxed()).chain(traces).collect();
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layers));
    Box::new(move |level| {
        let filter = EnvFilter::try_new(level).map_err(|e| e.to_string())?;
        handle.reload(filter).map_err(|e| e.to_string())
    })
}

/// Makes writers that escape.
#[derive(Clone, Copy, Debug)]
pub struct Lines<M> {
    pub json: bool,
    pub to: M,
}

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for Lines<M> {
    type Writer = Line<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Line { json: self.json, to: self.to.make_writer() }
    }
}

/// Takes one event in each write, as the formatter makes them.
#[derive(Debug)]
pub struct Line<W> {
    json: bool,
    to: W,
}

impl<W: Write> Write for Line<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        let mut line = escape(line, self.json).into_owned();
        line.push('\n');
        self.to.write_all(line.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Ends a line, belongs to a terminal, or turns the direction of text.
fn is_unruly(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{61c}')
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn escape(line: &str, json: bool) -> Cow<'_, str> {
    use std::fmt::Write as _;
    if !line.contains(is_unruly) {
        return line.into();
    }
    line.chars()
        .fold(String::with_capacity(line.len() + 16), |mut out, c| {
            let _ = match c {
                c if !is_unruly(c) => out.write_char(c),
                // All of them have four digits at most.
                c if json => write!(out, "\\u{:04x}", u32::from(c)),
                c => write!(out, "{}", c.escape_unicode()),
            };
            out
        })
        .into()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What somebody might type to write lines of their own.
    const TYPED: &str = "x\n2026-11-23T00:00:00Z ERROR magpie: all is lost\r\u{1b}[2J\u{9b}31m\u{202e}cba\u{2028}y\u{7f}\u{2029}\u{2066}\u{200f}\u{feff}\u{61c}";

    fn logged(json: bool) -> String {
        let kept = Kept::default();
        let to = kept.clone();
        let lines = Lines { json, to: move || to.clone() };
        let log = || {
            let span = tracing::info_span!("request", name = TYPED, shown = %TYPED);
            let _inside = span.enter();
            tracing::warn!(text = TYPED, shown = %TYPED, kept = ?TYPED, "{TYPED}");
        };
        if json {
            tracing::subscriber::with_default(fmt().json().with_writer(lines).finish(), log);
        } else {
            tracing::subscriber::with_default(fmt().with_ansi(false).with_writer(lines).finish(), log);
        }
        let bytes = kept.0.lock().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn what_people_type_stays_on_its_line_and_moves_nothing() {
        for json in [false, true] {
            let log = logged(json);
            assert_eq!(log.matches('\n').count(), 1, "{log}");
            let line = log.strip_suffix('\n').unwrap();
            assert!(!line.contains(is_unruly), "{line:?}");
            // Not by the rule that is tried here.
            let typed = "\n\r\u{1b}\u{9b}\u{202e}\u{2028}\u{2029}\u{2066}\u{200f}\u{feff}\u{61c}\u{7f}";
            assert!(typed.chars().all(|c| TYPED.contains(c) && !line.contains(c)), "{line:?}");
            assert!(line.contains("all is lost"), "{line}");
        }
    }

    #[test]
    fn a_line_of_json_still_says_what_was_typed() {
        let line: serde_json::Value = serde_json::from_str(&logged(true)).unwrap();
        assert_eq!(line["fields"]["shown"], TYPED);
        assert_eq!(line["fields"]["message"], TYPED);
        assert_eq!(line["span"]["name"], "request", "{line}");
    }
}
