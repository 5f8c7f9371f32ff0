//! Cuts the recorded events into windows: openings and closings in the order of their times.
//!
//! Since every case is advanced by recorded times alone, any cut gives the same rows; larger windows only
//! share more commits. The rows must come in the order they were opened; see [`super::order`].

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use chrono::{DateTime, Utc};
use domain::id::IncidentId;

use super::order::Source;
use super::refused::Refusals;
use super::rows::Row;

/// A recorded closing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Closing {
    pub at: DateTime<Utc>,
    pub incident: IncidentId,
    /// The line of the file that says so.
    pub line: u64,
}

/// Events to settle together.
#[derive(Debug, Default)]
pub struct Window {
    pub reports: Vec<Row>,
    pub closings: Vec<Closing>,
    pub refused: Refusals,
    /// The latest time of any event so far.
    pub end: Option<DateTime<Utc>>,
}

impl Window {
    pub fn is_empty(&self) -> bool {
        self.reports.is_empty() && self.closings.is_empty() && self.refused.is_empty()
    }
}

/// The windows of a file.
pub struct Windows {
    source: Source,
    /// Refused before the first row was at hand.
    refused: Refusals,
    next: Option<Row>,
    read_to_end: bool,
    closings: BinaryHeap<Reverse<Closing>>,
    events: usize,
    until: Option<DateTime<Utc>>,
    end: Option<DateTime<Utc>>,
}

impl Windows {
    /// Windows of up to `events` events; nothing later than `until` happens.
    pub fn new(source: impl Into<Source>, events: usize, until: Option<DateTime<Utc>>) -> Self {
        let mut source = source.into();
        Self {
            refused: source.take_refused(),
            source,
            next: None,
            read_to_end: false,
            closings: BinaryHeap::new(),
            events,
            until,
            end: None,
        }
    }

    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The latest time of any event so far.
    pub fn end(&self) -> Option<DateTime<Utc>> {
        self.end
    }

    /// The next window; an empty one at the end.
    pub fn next_window(&mut self) -> Window {
        let mut window = Window { refused: std::mem::take(&mut self.refused), ..Window::default() };
        while window.reports.len() + window.closings.len() < self.events {
            self.read_ahead(&mut window);
            let closing = self.closings.peek().map(|Reverse(closing)| closing.at);
            match (self.next.take(), closing) {
                (Some(row), Some(closing)) if row.opened > closing => {
                    self.next = Some(row);
                    self.close(&mut window);
                }
                (Some(row), _) => self.open(row, &mut window),
                (None, Some(_)) => self.close(&mut window),
                (None, None) => break,
            }
        }
        window.end = self.end;
        window
    }

    /// Makes sure that the next row that happens is at hand, collecting the refused ones on the way.
    fn read_ahead(&mut self, window: &mut Window) {
        while self.next.is_none() && !self.read_to_end {
            match self.source.next_row() {
                None => self.read_to_end = true,
                Some(Err(refused)) => window.refused.add(refused),
                Some(Ok(row)) if self.until.is_some_and(|until| row.opened > until) => {}
                Some(Ok(row)) => self.next = Some(row),
            }
        }
    }

    fn open(&mut self, row: Row, window: &mut Window) {
        self.end = self.end.max(Some(row.opened));
        if let Some(at) = row.closed.filter(|closed| self.until.is_none_or(|until| *closed <= until)) {
            self.closings.push(Reverse(Closing { at, incident: row.incident, line: row.line }));
        }
        window.reports.push(row);
    }

    fn close(&mut self, window: &mut Window) {
        if let Some(Reverse(closing)) = self.closings.pop() {
            self.end = self.end.max(Some(closing.at));
            window.closings.push(closing);
        }
    }
}
