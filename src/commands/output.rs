//! Tables and bars for people, JSON for programs.

use anstyle::Style;
use anyhow::{Context, Result};
use comfy_table::{Cell, CellAlignment, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value};
use std::io::{IsTerminal, Write};

const WRITING: &str = "writing to standard output";

/// Rows under a head. Numbers stand right.
#[derive(Debug)]
pub(super) struct Rows {
    head: &'static [&'static str],
    rows: Vec<Vec<Value>>,
}

impl Rows {
    pub(super) fn new(head: &'static [&'static str]) -> Self {
        Self { head, rows: Vec::new() }
    }

    pub(super) fn push<const N: usize>(&mut self, row: [Value; N]) {
        self.rows.push(row.into());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Prints all rows: an object a line for programs, a table for people, with a bold head on a terminal.
    pub(super) fn print(self, json: bool) -> Result<()> {
        if json {
            for row in self.rows {
                let fields = self.head.iter().map(|name| name.to_lowercase().replace(' ', "_")).zip(row);
                line(&Value::Object(fields.collect::<Map<_, _>>()).to_string())?;
            }
            return Ok(());
        }
        let mut table = Table::new();
        table.load_preset(presets::NOTHING).set_header(self.head.iter().map(|name| name.to_uppercase()));
        for row in self.rows {
            table.add_row(row.iter().map(cell));
        }
        table.column_iter_mut().for_each(|column| {
            column.set_padding((0, 2));
        });
        let (table, bold) = (table.trim_fmt(), Style::new().bold());
        let (head, rows) = table.split_once('\n').unwrap_or((&table, ""));
        let text = format!("{bold}{head}{bold:#}\n{rows}");
        // Which leaves styles out where they would not be seen, or nobody wants them.
        writeln!(anstream::stdout(), "{}", text.trim_end()).context(WRITING)
    }
}

fn cell(value: &Value) -> Cell {
    match value {
        Value::Null => Cell::new("-"),
        Value::String(text) => Cell::new(text),
        Value::Number(number) => Cell::new(number).set_alignment(CellAlignment::Right),
        other => Cell::new(other),
    }
}

/// Says that something was done.
pub(super) fn done(json: bool, what: &str, fields: Value) -> Result<()> {
    if json { line(&fields.to_string()) } else { line(what) }
}

/// Prints a line.
pub(super) fn line(text: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{text}").context(WRITING)
}

/// A bar up to a length, on a terminal only.
pub(super) fn progress(length: u64, template: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(length);
    ProgressStyle::with_template(template).map(|style| bar.clone().with_style(style)).unwrap_or(bar)
}

/// Says what is to be known beside the answer.
pub(super) fn warn(text: &str) {
    // Who does not listen is not told.
    let _ = writeln!(std::io::stderr(), "callboard: {text}");
}
