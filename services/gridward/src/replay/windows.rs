//! Cuts the recorded events into windows: openings and closings in the order of their times.
//!
//! Since every case is advanced by recorded times alone, any cut gives the same rows; larger windows only
//! share more commits.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use chrono::{DateTime, Utc};
use domain::id::IncidentId;

use super::rows::{Refused, Row, Rows};

/// A recorded closing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Closing {
    pub at: DateTime<Utc>,
    pub incident: IncidentId,
}

/// Events to settle together.
#[derive(Debug, Default)]
pub struct Window {
    pub reports: Vec<Row>,
    pub closings: Vec<Closing>,
    pub refused: Vec<Refused>,
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
    rows: Rows,
    next: Option<Row>,
    read_to_end: bool,
    closings: BinaryHeap<Reverse<Closing>>,
    events: usize,
    until: Option<DateTime<Utc>>,
    end: Option<DateTime<Utc>>,
}

impl Windows {
    /// Windows of up to `events` events; nothing later than `until` happens.
    pub fn new(rows: Rows, events: usize, until: Option<DateTime<Utc>>) -> Self {
        Self { rows, next: None, read_to_end: false, closings: BinaryHeap::new(), events, until, end: None }
    }

    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// The latest time of any event so far.
    pub fn end(&self) -> Option<DateTime<Utc>> {
        self.end
    }

    /// The next window; an empty one at the end.
    pub fn next_window(&mut self) -> Window {
        let mut window = Window::default();
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
            match self.rows.next_row() {
                None => self.read_to_end = true,
                Some(Err(refused)) => window.refused.push(refused),
                Some(Ok(row)) if self.until.is_some_and(|until| row.opened > until) => {}
                Some(Ok(row)) => self.next = Some(row),
            }
        }
    }

    fn open(&mut self, row: Row, window: &mut Window) {
        self.end = self.end.max(Some(row.opened));
        if let Some(at) = row.closed.filter(|closed| self.until.is_none_or(|until| *closed <= until)) {
            self.closings.push(Reverse(Closing { at, incident: row.incident }));
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
