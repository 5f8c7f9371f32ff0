//! Whoever asks in a bench: one HTTP/1.1 connection that is kept, and as little around it as possible, since the
//! load shares the machine with what it loads.

use std::io::ErrorKind;
use std::net::SocketAddr;

use anyhow::{Context, bail};
use tokio::net::TcpStream;

/// One connection; one question at a time.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    address: SocketAddr,
    /// Sent with every question.
    token: String,
    asked: Vec<u8>,
    answered: Vec<u8>,
}

/// What was answered.
#[derive(Debug)]
pub struct Answer<'a> {
    pub status: u16,
    pub body: &'a [u8],
}

impl Connection {
    /// # Errors
    /// When nobody listens at `address`.
    pub async fn open(address: SocketAddr, token: &str) -> anyhow::Result<Self> {
        let stream =
            TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        let (asked, answered) = (Vec::new(), Vec::new());
        Ok(Self { stream, address, token: token.to_owned(), asked, answered })
    }

    /// Asks, and waits for the whole answer.
    ///
    /// # Errors
    /// When the connection breaks, or what comes is no answer of a length that is told.
    pub async fn ask(&mut self, method: &str, path: &str, body: &str) -> anyhow::Result<Answer<'_>> {
        use std::io::Write as _;
        self.asked.clear();
        write!(
            self.asked,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            self.token,
            body.len()
        )?;
        self.send().await?;
        self.answered.clear();
        let head = loop {
            self.receive().await?;
            if let Some(at) = self.answered.windows(4).position(|end| end == b"\r\n\r\n") {
                break at + 4;
            }
        };
        let told =
            std::str::from_utf8(&self.answered[..head]).context("the head of an answer is not text")?;
        let status = told.get(9..12).and_then(|status| status.parse().ok());
        let status = status.with_context(|| format!("no status in `{told}`"))?;
        let length = told.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            if name.eq_ignore_ascii_case("content-length") {
                value.trim().parse::<usize>().ok()
            } else {
                None
            }
        });
        let end = head + length.with_context(|| format!("no length in `{told}`"))?;
        while self.answered.len() < end {
            self.receive().await?;
        }
        Ok(Answer { status, body: &self.answered[head..end] })
    }

    async fn send(&mut self) -> anyhow::Result<()> {
        let mut sent = 0;
        while sent < self.asked.len() {
            match self.stream.try_write(&self.asked[sent..]) {
                Ok(some) => sent += some,
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.stream.writable().await?,
                Err(error) => return Err(error).context("cannot ask"),
            }
        }
        Ok(())
    }

    async fn receive(&mut self) -> anyhow::Result<()> {
        let mut some = [0; 4_096];
        loop {
            match self.stream.try_read(&mut some) {
                Ok(0) => bail!("{} closed the connection", self.address),
                Ok(read) => {
                    self.answered.extend_from_slice(&some[..read]);
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.stream.readable().await?,
                Err(error) => return Err(error).context("no answer came"),
            }
        }
    }
}
