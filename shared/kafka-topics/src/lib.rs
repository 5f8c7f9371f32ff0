//! What librdkafka knows of topics and the safe API of rdkafka does not pass on: the id of a topic, by which
//! one that was deleted and made anew is told from its predecessor, and the last known end of a partition.
//!
//! The only crate with `unsafe`. Nothing that librdkafka hands out leaves it: texts and numbers are copied,
//! and whatever was allocated is freed when its owner here goes out of scope, on every path.
#![expect(unsafe_code, reason = "rdkafka has no safe call for DescribeTopics and for known watermarks")]

mod owned;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CStr, CString};
use std::fmt;
use std::ptr;
use std::slice;
use std::time::{Duration, Instant};

use rdkafka::client::{Client, ClientContext};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka_sys as sys;

use owned::{Event, Names, Options, Queue};

/// Names one topic among all that ever had its name. The text is what Kafka's own tools print: 16 bytes in
/// base64 for URLs, without padding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TopicId(String);

impl TopicId {
    /// The 22 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of(most: i64, least: i64) -> Self {
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let bits = (u128::from(most.cast_unsigned()) << 64) | u128::from(least.cast_unsigned());
        // 128 bits are 21 digits of six bits and one of two, which base64 fills up with zeros at its end.
        let digit = |place: u32| match 128_u32.checked_sub(6 * (place + 1)) {
            Some(shift) => (bits >> shift) & 63,
            None => (bits << 4) & 63,
        };
        Self((0..22).map(|place| char::from(DIGITS[digit(place) as usize])).collect())
    }
}

impl fmt::Display for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why the ids of topics are not known.
#[derive(Debug, thiserror::Error)]
pub enum TopicError {
    /// The broker answered that there is no such topic.
    #[error("there is no topic {0}")]
    Missing(String),
    /// The broker answered for this topic that it may or can not say.
    #[error("topic {topic} cannot be described")]
    Refused {
        topic: String,
        #[source]
        code: RDKafkaErrorCode,
    },
    /// Nobody answered, or not in time: worth another attempt.
    #[error("the topics cannot be described: {said}")]
    Failed {
        said: String,
        #[source]
        code: RDKafkaErrorCode,
    },
    /// A name with a zero byte in it.
    #[error("no topic can be called {0:?}")]
    Name(String),
    /// librdkafka could not allocate, or answered something else than what was asked.
    #[error("librdkafka could not {0}")]
    Library(&'static str),
}

/// The ids of `topics`, by name. It blocks up to `timeout`, so it belongs in `spawn_blocking`. It may be
/// called on any client, also one that is being polled elsewhere.
///
/// # Errors
/// [`TopicError::Missing`] names the first topic that is not there.
pub fn topic_ids<C: ClientContext>(
    client: &Client<C>,
    topics: &[&str],
    timeout: Duration,
) -> Result<BTreeMap<String, TopicId>, TopicError> {
    // librdkafka refuses to be asked for a topic twice, and for none at all it asks nobody.
    let distinct: BTreeSet<&str> = topics.iter().copied().collect();
    if distinct.is_empty() {
        return Ok(BTreeMap::new());
    }
    let names = Names::new(&distinct)?;
    let options = Options::describing(client.native_client(), timeout)?;
    let queue = Queue::new(client.native_client())?;
    // SAFETY: all four pointers are valid for the call: the client is borrowed, the others are owned here.
    // librdkafka copies the names and options, and keeps a reference of its own to the queue.
    unsafe { sys::rd_kafka_DescribeTopics(client.native_ptr(), names.ptr(), options.ptr(), queue.ptr()) };
    let event = answer(&queue, timeout)?;
    let found = described(&event)?;
    match distinct.into_iter().find(|name| !found.contains_key(*name)) {
        Some(name) => Err(TopicError::Missing(name.to_owned())),
        None => Ok(found),
    }
}

/// The offset behind the last record of a partition, as the broker said with its latest answer to a fetch of
/// this client. It asks nobody. `None` before the first such answer, and for a partition not being fetched.
pub fn known_end<C: ClientContext>(client: &Client<C>, topic: &str, partition: i32) -> Option<i64> {
    let topic = CString::new(topic).ok()?;
    let (mut low, mut high) = (-1_i64, -1_i64);
    // SAFETY: the client is borrowed, the name ends with a zero byte and lives through the call, and both
    // numbers are ours to be written to.
    let code = unsafe {
        sys::rd_kafka_get_watermark_offsets(
            client.native_ptr(),
            topic.as_ptr(),
            partition,
            &raw mut low,
            &raw mut high,
        )
    };
    (code == sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR && high >= 0).then_some(high)
}

/// What a client has last said of itself: why it reaches no broker. Only for one that nobody polls, such as an admin
/// client: whoever polls one is told already.
pub fn last_said<C: ClientContext>(client: &Client<C>) -> Option<String> {
    let queue = Queue::main(client.native_client())?;
    let mut said = None;
    while let Some(event) = queue.poll(Duration::ZERO) {
        // SAFETY: the event is alive.
        if unsafe { sys::rd_kafka_event_type(event.ptr()) } == sys::RD_KAFKA_EVENT_ERROR {
            said = Some(error_string(&event));
        }
    }
    said
}

/// Waits for the answer. librdkafka itself gives up after `timeout`; a little more, so that it is the one to
/// say why.
fn answer(queue: &Queue, timeout: Duration) -> Result<Event, TopicError> {
    let until = Instant::now() + timeout + Duration::from_millis(500);
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match queue.poll(left) {
            Some(event) => return Ok(event),
            None if left.is_zero() => {
                return Err(TopicError::Failed {
                    said: "no answer in time".to_owned(),
                    code: RDKafkaErrorCode::OperationTimedOut,
                });
            }
            None => {}
        }
    }
}

fn error_string(event: &Event) -> String {
    // SAFETY: the event is alive; the text belongs to it, or is one of librdkafka's constants.
    let said = unsafe { sys::rd_kafka_event_error_string(event.ptr()) };
    // SAFETY: the text lives as long as the event and is copied here.
    unsafe { text(said) }
}

fn described(event: &Event) -> Result<BTreeMap<String, TopicId>, TopicError> {
    // SAFETY: the event is alive.
    let code = unsafe { sys::rd_kafka_event_error(event.ptr()) };
    if code != sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
        return Err(TopicError::Failed { said: error_string(event), code: code.into() });
    }
    // SAFETY: the event is alive; of another kind it gives null.
    let result = unsafe { sys::rd_kafka_event_DescribeTopics_result(event.ptr()) };
    if result.is_null() {
        return Err(TopicError::Library("answer what it was asked"));
    }
    let mut count = 0_usize;
    // SAFETY: the result is the event itself, alive and of this kind; the count is ours to be written to.
    let first = unsafe { sys::rd_kafka_DescribeTopics_result_topics(result, &raw mut count) };
    if first.is_null() || count == 0 {
        return Ok(BTreeMap::new());
    }
    // SAFETY: librdkafka gives `count` pointers in a row, which live as long as the event; nobody writes them.
    let topics = unsafe { slice::from_raw_parts(first.cast_const(), count) };
    topics.iter().map(|topic| one(*topic)).collect()
}

/// `topic` belongs to an event that the caller keeps.
fn one(topic: *const sys::rd_kafka_TopicDescription_t) -> Result<(String, TopicId), TopicError> {
    // SAFETY: `described` passes pointers of a living event.
    let name = unsafe { sys::rd_kafka_TopicDescription_name(topic) };
    // SAFETY: the name lives as long as the event and is copied here.
    let name = unsafe { text(name) };
    // SAFETY: as for the name.
    let error = unsafe { sys::rd_kafka_TopicDescription_error(topic) };
    // SAFETY: the error lives as long as the event; librdkafka reads null as "no error".
    let code = unsafe { sys::rd_kafka_error_code(error) };
    match code {
        sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => {}
        sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART
        | sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC => {
            return Err(TopicError::Missing(name));
        }
        other => return Err(TopicError::Refused { topic: name, code: other.into() }),
    }
    // SAFETY: as for the name.
    let id = unsafe { sys::rd_kafka_TopicDescription_topic_id(topic) };
    if id.is_null() {
        return Err(TopicError::Library("say a topic's id"));
    }
    // SAFETY: the id lives as long as the event.
    let most = unsafe { sys::rd_kafka_Uuid_most_significant_bits(id) };
    // SAFETY: the id lives as long as the event.
    let least = unsafe { sys::rd_kafka_Uuid_least_significant_bits(id) };
    // A broker from before Kafka 2.8 knows no ids and answers with zeros: every topic would be the same.
    if (most, least) == (0, 0) {
        return Err(TopicError::Library("say a topic's id, as the broker is too old to have any"));
    }
    Ok((name, TopicId::of(most, least)))
}

/// Copies a text of librdkafka's.
///
/// # Safety
/// `text` is null or ends with a zero byte, and lives through this call.
unsafe fn text(text: *const std::ffi::c_char) -> String {
    if ptr::eq(text, ptr::null()) {
        return String::new();
    }
    // SAFETY: not null; the caller promises the rest.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::TopicId;

    #[test]
    fn an_id_reads_as_kafkas_tools_print_it() {
        // java: new org.apache.kafka.common.Uuid(most, least).toString()
        assert_eq!(TopicId::of(0, 1).as_str(), "AAAAAAAAAAAAAAAAAAAAAQ");
        assert_eq!(TopicId::of(-1, -1).as_str(), "_____________________w");
        assert_eq!(
            TopicId::of(0x0102_0304_0506_0708, 0x090a_0b0c_0d0e_0f10).as_str(),
            "AQIDBAUGBwgJCgsMDQ4PEA"
        );
    }
}
