//! The topic of packs: the register of packs on servers. It has one partition, and its log is compacted, so that it keeps
//! the latest record of each key for ever and stays small.

use ::kafka::connection::Connection;
use ::kafka::reading::{self, Membership, Message, ReadError, Reading};
use ::kafka::sending::{self, Outgoing, Sending};
use ::kafka::topics::Wanted;
use tokio::sync::watch;
use tokio::time::{Duration, Instant, timeout_at};

use super::{PATIENCE, Settings, broker, unfit};
use crate::lifecycle::rest;
use crate::register::{MANIFEST, Record, Shelf};
use crate::store::StoreError;

/// Its name, behind the installation's prefix.
pub const PACKS: &str = "packs";

/// How it is set up: what is not the latest of its key goes, and soon, for a new process reads all of it.
pub const PACKS_SETTINGS: [(&str, &str); 4] = [
    ("cleanup.policy", "compact"),
    ("segment.bytes", "16777216"),
    ("segment.ms", "86400000"),
    ("min.cleanable.dirty.ratio", "0.1"),
];

const PARTITION: i32 = 0;

/// Records read at once, and buffered: one may have a megabyte.
const SOME: usize = 8;

/// How long the broker may keep a question for more. Nothing here moves to and fro, and each process asks: a short one
/// would be twenty questions a second of every process for a topic in which nothing happens for months.
const NOTHING_NEW: Duration = Duration::from_secs(1);

/// How long sending a version may take.
const LONGEST_SEND: Duration = Duration::from_secs(60);

const READING: &str = "reading the topic of packs";

/// The topic of packs, with a reader of its own.
#[derive(Debug)]
pub struct PackTopic {
    name: String,
    connection: Connection,
    reading: Reading,
    arrivals: watch::Receiver<u64>,
    /// Once something was sent: few ever do.
    sending: Option<Sending>,
}

/// What stands behind a position of the topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadOn {
    Nothing,
    More,
    /// The log is not the one it was: it ends before the position, or begins behind it.
    Elsewhere,
}

fn put(messages: &[Message], shelf: &mut Shelf) {
    for message in messages {
        shelf.take(&String::from_utf8_lossy(&message.key), &message.payload);
    }
}

/// The topic as it should be.
pub(super) fn wanted(settings: &Settings) -> Wanted {
    let mut wanted = Wanted::new(name(settings), 1);
    wanted.replication = settings.replication;
    wanted.settings =
        PACKS_SETTINGS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    wanted
}

fn name(settings: &Settings) -> String {
    format!("{}{PACKS}", settings.prefix)
}

impl PackTopic {
    /// Connects in the background: a broker that is away is no error here.
    ///
    /// # Errors
    /// When a setting is none that the client takes.
    pub fn open(settings: &Settings) -> Result<Self, StoreError> {
        let (name, connection) = (name(settings), settings.connection.clone());
        let reading = reading::Settings::new(connection.clone(), &[&name], Membership::Alone);
        let reading =
            Reading::start(reading::Settings { buffered: SOME, nothing_new: NOTHING_NEW, ..reading })
                .map_err(|error| unfit(READING, &error))?;
        let arrivals = reading.arrivals();
        Ok(Self { name, connection, reading, arrivals, sending: None })
    }

    /// Takes every record to `shelf`, up to the end of the log; answers the position of the last one.
    ///
    /// # Errors
    /// When the broker cannot be asked.
    pub async fn read_all(&self, shelf: &mut Shelf) -> Result<i64, StoreError> {
        let bounds = self.reading.bounds(&self.name, PARTITION).await;
        let (first, last) = bounds.map_err(|error| broker(READING, &error))?;
        let mut after = first - 1;
        // Its last positions may hold the marks of somebody's transactions, which never come: then its end is seen by
        // that nothing comes for a moment.
        while after < last {
            let messages = self.some(after).await.map_err(|error| broker(READING, &error))?;
            let Some(read) = messages.last() else { break };
            after = read.position;
            put(&messages, shelf);
        }
        Ok(after)
    }

    /// Takes what stands behind the position `seen` to `shelf`, and moves `seen` on: up to the end, or to a manifest,
    /// which comes last of what is published at once.
    ///
    /// # Errors
    /// When the broker cannot be asked.
    pub async fn read_on(&mut self, seen: &mut i64, shelf: &mut Shelf) -> Result<ReadOn, StoreError> {
        let mut read_on = ReadOn::Nothing;
        loop {
            self.arrivals.mark_unchanged();
            let messages = match self.some(*seen).await {
                Ok(messages) => messages,
                Err(ReadError::Outside { .. }) => return Ok(ReadOn::Elsewhere),
                Err(error) => return Err(broker(READING, &error)),
            };
            let Some(last) = messages.last() else { return Ok(read_on) };
            *seen = last.position;
            put(&messages, shelf);
            read_on = ReadOn::More;
            if messages.iter().any(|message| message.key.starts_with(MANIFEST.as_bytes())) {
                return Ok(read_on);
            }
        }
    }

    /// Some records behind `after`; none at the end.
    async fn some(&self, after: i64) -> Result<Vec<Message>, ReadError> {
        let until = Instant::now() + PATIENCE * 2;
        loop {
            let mut arrivals = self.reading.arrivals();
            match self.reading.read(&self.name, PARTITION, after, SOME).await {
                // It is taken on a moment after the start.
                Err(ReadError::NotMine { .. }) if Instant::now() < until => {
                    // Too late is seen above.
                    let _ = timeout_at(until, arrivals.changed()).await;
                }
                read => return read,
            }
        }
    }

    /// Returns when something may have arrived since it was last asked whether there is more.
    pub async fn stirs(&mut self) {
        if self.arrivals.changed().await.is_err() {
            rest(PATIENCE).await;
        }
    }

    /// Sends `records` in order, and returns when all are acknowledged.
    ///
    /// # Errors
    /// When they are not; some may be on the log then.
    pub async fn send(&mut self, records: &[Record]) -> Result<(), StoreError> {
        if records.is_empty() {
            return Ok(());
        }
        let doing = "sending to the topic of packs";
        let batch: Vec<Outgoing> = records.iter().map(|record| self.outgoing(record)).collect();
        let mut sending = match self.sending.take() {
            Some(sending) => sending,
            None => Sending::start(sending::Settings::new(self.connection.clone()))
                .map_err(|error| unfit(doing, &error))?,
        };
        let sent = sending.send_all(&batch, Instant::now() + LONGEST_SEND).await;
        self.sending = Some(sending);
        sent.map_err(|error| broker(doing, &error))
    }

    fn outgoing(&self, record: &Record) -> Outgoing {
        Outgoing {
            topic: self.name.clone(),
            key: record.key.clone().into_bytes(),
            payload: record.value.clone(),
            headers: Vec::new(),
            timestamp: 0,
        }
    }

    /// Lets go of the topic.
    pub async fn close(self) {
        if let Some(sending) = self.sending {
            sending.stop().await;
        }
        // It panics only if the broker's client does, and then there is nothing left to let go of.
        let _ = tokio::task::spawn_blocking(move || drop(self.reading)).await;
    }
}
