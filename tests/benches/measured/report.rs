//! A table for people while it runs, and `target/bench/PART.json` at the end.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::{Rounds, short};

const LABEL_COLUMNS: usize = 46;
const FIGURE_COLUMNS: usize = 26;

/// The report of one part.
#[derive(Debug)]
pub(crate) struct Report {
    part: &'static str,
    figures: Map<String, Value>,
    section: String,
}

impl Report {
    /// A report of this part.
    pub(crate) fn new(part: &'static str, what: &str) -> Self {
        let report = Self { part, figures: Map::new(), section: String::new() };
        report.line(&format!("{part}: {what}"));
        report.line("Each figure is the median of its rounds [lowest..highest]; what is compared was measured in turns.");
        report
    }

    /// A line of text.
    #[expect(clippy::print_stdout, clippy::unused_self, reason = "a benchmark prints; only a report does")]
    pub(crate) fn line(&self, text: &str) {
        println!("{text}");
    }

    /// A new table with these columns.
    pub(crate) fn table(&mut self, section: &str, columns: &[&str]) {
        section.clone_into(&mut self.section);
        let mut line = format!("\n{section:LABEL_COLUMNS$}");
        for column in columns {
            write!(line, "{column:>FIGURE_COLUMNS$}").expect("a string takes it");
        }
        self.line(&line);
    }

    /// A row of the table: names for the file, figures for both.
    pub(crate) fn row(&mut self, label: &str, figures: &[(&str, &Rounds)]) {
        let mut line = format!("{:LABEL_COLUMNS$}", format!("  {label}"));
        for (_, rounds) in figures {
            write!(line, "{:>FIGURE_COLUMNS$}", rounds.told()).expect("a string takes it");
        }
        self.line(&line);
        self.note(label, figures);
    }

    /// Figures for the file alone.
    pub(crate) fn note(&mut self, label: &str, figures: &[(&str, &Rounds)]) {
        let entry: Map<String, Value> =
            figures.iter().map(|(name, rounds)| ((*name).to_owned(), rounds.json())).collect();
        let section = self.figures.entry(self.section.clone()).or_insert_with(|| json!({}));
        if let Some(section) = section.as_object_mut() {
            section.insert(label.to_owned(), Value::Object(entry));
        }
    }

    /// A goal that is reached from below. Nothing fails when it is not: the machine may be a slow one, or busy.
    pub(crate) fn at_least(&mut self, what: &str, reached: f64, goal: f64, unit: &str) {
        self.goal(what, reached, (">=", goal, unit), reached >= goal);
    }

    /// A goal that is reached from above.
    pub(crate) fn at_most(&mut self, what: &str, reached: f64, goal: f64, unit: &str) {
        self.goal(what, reached, ("<=", goal, unit), reached <= goal);
    }

    fn goal(&mut self, what: &str, reached: f64, (sign, goal, unit): (&str, f64, &str), good: bool) {
        let verdict = if good { "reached" } else { "missed" };
        self.line(&format!("  goal: {what} {sign} {} {unit}: {} ({verdict})", short(goal), short(reached)));
        let goals = self.figures.entry("goals".to_owned()).or_insert_with(|| json!({}));
        if let Some(goals) = goals.as_object_mut() {
            goals.insert(
                what.to_owned(),
                json!({ "goal": goal, "reached": reached, "unit": unit, "verdict": verdict }),
            );
        }
    }

    /// Writes the file.
    pub(crate) fn write(self) {
        let folder = folder();
        let file = folder.join(format!("{}.json", self.part));
        let text = serde_json::to_string_pretty(&json!({
            "part": self.part,
            "quick": super::quick(),
            "processors": std::thread::available_parallelism().map_or(0, usize::from),
            "figures": self.figures,
        }));
        let written =
            std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&file, text.unwrap_or_default()));
        match written {
            Ok(()) => self.line(&format!("\nwritten to {}", file.display())),
            Err(error) => self.line(&format!("\n{} cannot be written: {error}", file.display())),
        }
    }
}

/// `bench` in the target folder, in which this program lies as `PROFILE/deps/NAME`.
fn folder() -> PathBuf {
    let own = std::env::current_exe().unwrap_or_default();
    own.ancestors().nth(3).unwrap_or_else(|| Path::new("target")).join("bench")
}
