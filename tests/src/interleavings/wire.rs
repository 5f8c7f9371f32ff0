//! PostgreSQL's protocol, as far as a gate has to read it: what one side says, message by message, and what a group of
//! messages asks to be done.

use std::collections::BTreeMap;
use std::io;

use tokio::net::TcpStream;

/// How a session is set up, whatever its pool asks for: somebody who waits in a schedule is not late, what is committed
/// need not outlive the server, deadlocks are left to the walk, and a statement finds its rows in the same way each
/// time, however often it was carried out and however many rows lie dead beside its own.
const OPTIONS: &str = "-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0 \
                       -c synchronous_commit=off -c log_lock_waits=off -c deadlock_timeout=1d \
                       -c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c jit=off";

/// A statement that was ended because somebody asked for it: how the walk parts two that wait for each other.
const CANCELLED: &str = "57014";

/// What PostgreSQL tells whom it ends of two that wait for each other.
const DEADLOCK: [(u8, &str); 4] =
    [(b'S', "ERROR"), (b'V', "ERROR"), (b'C', "40P01"), (b'M', "deadlock detected")];

/// Changes the words of a statement on its way: breaks a rule on purpose.
pub type Rewrite = fn(&str) -> String;

/// One message, with its head: kind and length.
#[derive(Debug)]
pub struct Message {
    pub bytes: Vec<u8>,
}

impl Message {
    fn new(kind: u8, body: &[u8]) -> Self {
        let length = u32::try_from(body.len() + 4).expect("a message of ours is small");
        let mut bytes = vec![kind];
        bytes.extend(length.to_be_bytes());
        bytes.extend(body);
        Self { bytes }
    }

    pub fn kind(&self) -> u8 {
        self.bytes[0]
    }

    pub fn body(&self) -> &[u8] {
        &self.bytes[5..]
    }

    /// The process that serves the session, as a `BackendKeyData` names it.
    pub fn process(&self) -> i32 {
        i32::from_be_bytes(self.body()[..4].try_into().expect("four bytes"))
    }

    /// The same, told as PostgreSQL tells a deadlock, where a statement was ended on request.
    pub fn told_as_deadlock(self) -> Self {
        if self.kind() != b'E' || self.fault().0 != CANCELLED {
            return self;
        }
        let mut body = Vec::new();
        for (field, words) in DEADLOCK {
            body.push(field);
            body.extend(words.as_bytes());
            body.push(0);
        }
        body.push(0);
        Self::new(b'E', &body)
    }

    /// What an `ErrorResponse` says: its SQLSTATE and its words.
    pub fn fault(&self) -> (String, String) {
        let (mut rest, mut fields) = (self.body(), BTreeMap::new());
        while let Some((field, more)) = rest.split_first().filter(|(field, _)| **field != 0) {
            let (text, after) = text(more);
            fields.insert(*field, text);
            rest = after;
        }
        let mut field = |name: u8| fields.remove(&name).unwrap_or_default();
        (field(b'C'), field(b'M'))
    }
}

/// A text up to its zero, and what follows.
fn text(bytes: &[u8]) -> (String, &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let rest = bytes.get(end + 1..).unwrap_or_default();
    (String::from_utf8_lossy(&bytes[..end]).into_owned(), rest)
}

/// What comes from one side.
#[derive(Debug)]
pub struct Messages<'a> {
    from: &'a TcpStream,
    read: Vec<u8>,
}

impl<'a> Messages<'a> {
    pub fn new(from: &'a TcpStream) -> Self {
        Self { from, read: Vec::new() }
    }

    /// The first thing a client says, which has no kind; set up as [`OPTIONS`] has it.
    pub async fn startup(&mut self) -> io::Result<Option<Vec<u8>>> {
        if !self.fill(4).await? {
            return Ok(None);
        }
        let length = length(&self.read[..4]);
        if !self.fill(length).await? {
            return Ok(None);
        }
        let startup: Vec<u8> = self.read.drain(..length).collect();
        Ok(Some(patient(&startup)))
    }

    /// The next message; none once the other end has closed.
    pub async fn message(&mut self) -> io::Result<Option<Message>> {
        if !self.fill(5).await? {
            return Ok(None);
        }
        let length = 1 + length(&self.read[1..5]);
        if !self.fill(length).await? {
            return Ok(None);
        }
        Ok(Some(Message { bytes: self.read.drain(..length).collect() }))
    }

    /// Whether the next message is here already.
    pub fn has_next(&self) -> bool {
        self.read.len() >= 5 && self.read.len() > length(&self.read[1..5])
    }

    /// Reads until there are so many bytes; false when the other end closes before.
    async fn fill(&mut self, wanted: usize) -> io::Result<bool> {
        let mut piece = vec![0; 16 * 1024];
        while self.read.len() < wanted {
            self.from.readable().await?;
            match self.from.try_read(&mut piece) {
                Ok(0) => return Ok(false),
                Ok(length) => self.read.extend(&piece[..length]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

fn length(bytes: &[u8]) -> usize {
    u32::from_be_bytes(bytes.try_into().expect("four bytes")) as usize
}

/// The same start of a session, with other options.
fn patient(startup: &[u8]) -> Vec<u8> {
    let (version, mut rest) = startup[4..].split_at(4);
    let mut body = version.to_vec();
    while rest.first().is_some_and(|byte| *byte != 0) {
        let (name, after) = text(rest);
        let (value, after) = text(after);
        rest = after;
        let value = if name == "options" { OPTIONS } else { &value };
        for part in [&name, value] {
            body.extend(part.as_bytes());
            body.push(0);
        }
    }
    body.push(0);
    let length = u32::try_from(body.len() + 4).expect("a start of ours is small");
    [&length.to_be_bytes()[..], &body].concat()
}

/// What a client says until it waits for the server to be ready again.
#[derive(Debug, Default)]
pub struct Group {
    pub bytes: Vec<u8>,
    /// The statement that is to be carried out, if one is: preparing one, or asking whether the server is there, is
    /// nothing that another session could notice.
    pub statement: Option<String>,
}

/// Puts messages together to groups.
#[derive(Debug)]
pub struct Grouping {
    rewrite: Rewrite,
    /// The words of each prepared statement.
    prepared: BTreeMap<String, String>,
    bound: String,
    group: Group,
}

impl Grouping {
    pub fn new(rewrite: Rewrite) -> Self {
        Self { rewrite, prepared: BTreeMap::new(), bound: String::new(), group: Group::default() }
    }

    /// Adds a message; answers the group that ends with it.
    pub fn add(&mut self, message: Message) -> Option<Group> {
        let kind = message.kind();
        let message = match kind {
            b'P' => self.parse(&message),
            b'Q' => self.query(&message),
            b'B' => {
                let (_, rest) = text(message.body());
                self.bound = self.prepared.get(&text(rest).0).cloned().unwrap_or_default();
                message
            }
            b'E' => {
                self.group.statement = Some(self.bound.clone());
                message
            }
            _ => message,
        };
        self.group.bytes.extend(message.bytes);
        matches!(kind, b'Q' | b'S').then(|| std::mem::take(&mut self.group))
    }

    fn parse(&mut self, message: &Message) -> Message {
        let (name, rest) = text(message.body());
        let (words, rest) = text(rest);
        let words = (self.rewrite)(&words);
        let body = [name.as_bytes(), &[0], words.as_bytes(), &[0], rest].concat();
        self.prepared.insert(name, words);
        Message::new(b'P', &body)
    }

    fn query(&mut self, message: &Message) -> Message {
        let words = (self.rewrite)(&text(message.body()).0);
        let message = Message::new(b'Q', &[words.as_bytes(), &[0]].concat());
        self.group.statement = Some(words);
        message
    }
}
