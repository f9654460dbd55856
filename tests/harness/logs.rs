//! What the nodes of this process log, searched as it is written. Nothing is kept but the lines that hold a wanted word.

use std::io;
use std::sync::{Arc, Mutex, OnceLock};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// More than any operator would turn on for what is ours.
const FILTER: &str =
    "info,api=trace,commands=trace,domain=trace,mcp=trace,projections=trace,sqlx=debug,hyper=trace";

/// A search of the log, from its start on.
#[derive(Debug, Clone)]
pub struct LogSearch {
    words: Vec<String>,
    caught: Arc<Mutex<Vec<String>>>,
}

impl LogSearch {
    /// Looks out for these words, in everything that this process logs from now on.
    pub fn start(words: &[&str]) -> Self {
        let words = words.iter().map(ToString::to_string).collect();
        let search = Self { words, caught: Arc::default() };
        searches().0.lock().expect("the searches").push(search.clone());
        search
    }

    /// The lines that hold this word.
    pub fn lines_with(&self, word: &str) -> Vec<String> {
        let caught = self.caught.lock().expect("the lines");
        caught.iter().filter(|line| line.contains(word)).cloned().collect()
    }
}

/// All searches that run; the log is written to them and nowhere else.
#[derive(Debug, Default)]
struct Searches(Mutex<Vec<LogSearch>>);

fn searches() -> &'static Searches {
    static SEARCHES: OnceLock<&'static Searches> = OnceLock::new();
    SEARCHES.get_or_init(|| {
        let searches: &'static Searches = Box::leak(Box::default());
        let filter = EnvFilter::try_new(FILTER).expect("a filter");
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_ansi(false)
            .with_writer(Writer(searches))
            .init();
        searches
    })
}

/// Takes one line at a time, as the formatter hands it over.
#[derive(Debug, Clone, Copy)]
struct Writer(&'static Searches);

impl<'a> MakeWriter<'a> for Writer {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        *self
    }
}

impl io::Write for Writer {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        for search in self.0.0.lock().expect("the searches").iter() {
            if search.words.iter().any(|word| text.contains(word.as_str())) {
                search.caught.lock().expect("the lines").push(text.clone().into_owned());
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
