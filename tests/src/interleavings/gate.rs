//! The gate before a session: it stands between a pool of one connection and PostgreSQL, and lets a statement through
//! when it is told to.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::search::Side;
use super::statement::{Step, Tables, Transaction};
use super::wire::{Grouping, Message, Messages, Rewrite};
use crate::faults::proxy::write;

/// What happened in a schedule, line by line.
pub type Lines = Arc<Mutex<Vec<String>>>;

/// What a session is at.
#[derive(Clone, Debug, Default)]
pub enum At {
    /// Nothing of it is on its way: it decides what comes next, or has nothing to do.
    #[default]
    Away,
    /// This waits to be let through.
    Held(Step),
    /// It was let through, and is not answered.
    Sent,
}

/// How a session is.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Statements wait to be let through.
    closed: bool,
    pub at: At,
    /// Its turn is over.
    pub done: bool,
    /// Statements that failed, by SQLSTATE.
    pub failed: Vec<String>,
    /// The process of the server that serves it.
    pub process: i32,
    /// Its next statement that is ended on request is told of as a deadlock.
    parted: bool,
}

/// What stands before one session.
#[derive(Debug)]
pub struct Gate {
    port: u16,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    side: Side,
    state: watch::Sender<State>,
    transaction: Mutex<Transaction>,
    tables: Tables,
    lines: Lines,
    rewrite: Rewrite,
}

/// Notes what happened next.
pub fn note(lines: &Lines, line: String) {
    lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
}

impl Gate {
    /// An open gate before the PostgreSQL at `target`, a port of this machine, for a session on `tables`.
    pub async fn to(
        target: u16,
        side: Side,
        tables: &Tables,
        rewrite: Rewrite,
        lines: &Lines,
    ) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            side,
            state: watch::Sender::new(State::default()),
            transaction: Mutex::default(),
            tables: tables.clone(),
            lines: lines.clone(),
            rewrite,
        });
        let of_all = shared.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let shared = of_all.clone();
                // Whoever it was for hears that the connection is gone.
                tokio::spawn(async move { forward(near, target, &shared).await });
            }
        });
        Ok(Self { port, shared, accepting })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn seen(&self) -> watch::Receiver<State> {
        self.shared.state.subscribe()
    }

    /// From now on statements wait. The session must have nothing on its way.
    pub fn close(&self) {
        *self.shared.transaction() = Transaction::default();
        self.shared.state.send_modify(|state| {
            *state = State { closed: true, process: state.process, ..State::default() };
        });
    }

    /// From now on everything comes through.
    pub fn open(&self) {
        self.shared.state.send_modify(|state| {
            state.closed = false;
            let_through(state);
        });
    }

    /// Lets through what waits.
    pub fn let_through(&self) {
        self.shared.state.send_modify(let_through);
    }

    /// The statement that is on its way will be ended on request, and its session told that it was a deadlock.
    pub fn tells_of_deadlocks(&self) {
        self.shared.state.send_modify(|state| state.parted = true);
    }

    /// Says that the turn is over, once it is.
    pub fn end(&self) -> impl FnOnce() + Send + 'static {
        let shared = self.shared.clone();
        move || shared.state.send_modify(|state| state.done = true)
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn let_through(state: &mut State) {
    if let At::Held(_) = &state.at {
        state.at = At::Sent;
    }
}

impl Shared {
    fn transaction(&self) -> MutexGuard<'_, Transaction> {
        self.transaction.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `statement` may be carried out. Answers whether it was held.
    async fn passes(&self, statement: &str) -> bool {
        let step = self.transaction().step(statement, &self.tables);
        let Some(step) = step else {
            if self.state.borrow().closed && statement.starts_with("ROLLBACK") {
                note(&self.lines, format!("   {} rolls back", self.side));
            }
            return false;
        };
        let mut seen = self.state.subscribe();
        // Whoever is told of a fault goes on before the server has done with the statement, and has let go of its locks.
        // The sender lives as long as this does.
        let _ = seen.wait_for(|state| !matches!(state.at, At::Sent)).await;
        let held = self.state.send_if_modified(|state| {
            if state.closed {
                state.at = At::Held(step);
            }
            state.closed
        });
        if held {
            let _ = seen.wait_for(|state| !matches!(state.at, At::Held(_))).await;
        }
        held
    }

    /// What the session is told where the server says `message`.
    fn as_told(&self, message: Message) -> Message {
        if message.kind() != b'E' || !self.state.borrow().parted {
            return message;
        }
        self.state.send_modify(|state| state.parted = false);
        message.told_as_deadlock()
    }

    /// The server has said something.
    fn hears(&self, message: &Message, expected: &Mutex<VecDeque<bool>>) {
        match message.kind() {
            b'K' => self.state.send_modify(|state| state.process = message.process()),
            b'E' if self.state.borrow().closed => {
                let (code, words) = message.fault();
                note(&self.lines, format!("   {} is told of fault {code}: {words}", self.side));
                self.state.send_modify(|state| state.failed.push(code));
            }
            b'Z' => {
                let held = expected.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                if held == Some(true) {
                    self.state.send_modify(|state| state.at = At::Away);
                }
            }
            _ => {}
        }
    }
}

async fn forward(near: TcpStream, target: u16, shared: &Shared) -> io::Result<()> {
    let far = TcpStream::connect(("127.0.0.1", target)).await?;
    // A statement is one small piece: without this each would wait for the answer to the one before.
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    // Whether what each answer is to was held.
    let expected = Mutex::default();
    // Whichever ends first closes both.
    tokio::select! {
        asked = asks(&near, &far, shared, &expected) => asked,
        answered = answers(&far, &near, shared, &expected) => answered,
    }
}

async fn asks(
    near: &TcpStream,
    far: &TcpStream,
    shared: &Shared,
    expected: &Mutex<VecDeque<bool>>,
) -> io::Result<()> {
    let mut messages = Messages::new(near);
    let Some(startup) = messages.startup().await? else { return Ok(()) };
    write(far, &startup).await?;
    let mut grouping = Grouping::new(shared.rewrite);
    while let Some(message) = messages.message().await? {
        // A password, and a farewell: nobody is ready after these.
        if matches!(message.kind(), b'p' | b'X') {
            write(far, &message.bytes).await?;
            continue;
        }
        let Some(group) = grouping.add(message) else { continue };
        let held = match &group.statement {
            Some(statement) => shared.passes(statement).await,
            None => false,
        };
        expected.lock().unwrap_or_else(PoisonError::into_inner).push_back(held);
        write(far, &group.bytes).await?;
    }
    Ok(())
}

async fn answers(
    far: &TcpStream,
    near: &TcpStream,
    shared: &Shared,
    expected: &Mutex<VecDeque<bool>>,
) -> io::Result<()> {
    let mut messages = Messages::new(far);
    let mut said = Vec::new();
    while let Some(message) = messages.message().await? {
        let message = shared.as_told(message);
        // Before the session hears of it, and asks for the next thing.
        shared.hears(&message, expected);
        said.extend(message.bytes);
        if !messages.has_next() {
            write(near, &said).await?;
            said.clear();
        }
    }
    Ok(())
}
