//! What librdkafka allocates for one question, each freed when it goes out of scope.

use std::collections::BTreeSet;
use std::ffi::{CString, c_char};
use std::time::Duration;

use rdkafka::client::NativeClient;
use rdkafka_sys as sys;

use crate::TopicError;

/// The names asked for.
pub(crate) struct Names(*mut sys::rd_kafka_TopicCollection_t);

impl Names {
    pub(crate) fn new(names: &BTreeSet<&str>) -> Result<Self, TopicError> {
        let texts = names
            .iter()
            .map(|name| CString::new(*name).map_err(|_| TopicError::Name((*name).to_owned())))
            .collect::<Result<Vec<_>, _>>()?;
        let mut pointers: Vec<*const c_char> = texts.iter().map(|text| text.as_ptr()).collect();
        // SAFETY: as many pointers as said, each to a text that ends with a zero byte and lives through the
        // call; librdkafka copies them.
        let made =
            unsafe { sys::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len()) };
        if made.is_null() { Err(TopicError::Library("take the topics' names")) } else { Ok(Self(made)) }
    }

    pub(crate) fn ptr(&self) -> *const sys::rd_kafka_TopicCollection_t {
        self.0
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        // SAFETY: made by `new`, not null, and freed nowhere else.
        unsafe { sys::rd_kafka_TopicCollection_destroy(self.0) }
    }
}

/// How to ask.
pub(crate) struct Options(*mut sys::rd_kafka_AdminOptions_t);

impl Options {
    pub(crate) fn describing(client: &NativeClient, timeout: Duration) -> Result<Self, TopicError> {
        let kind = sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS;
        // SAFETY: the client is borrowed, so it is alive.
        let made = unsafe { sys::rd_kafka_AdminOptions_new(client.ptr(), kind) };
        if made.is_null() {
            return Err(TopicError::Library("make options for a question"));
        }
        let options = Self(made);
        // librdkafka takes 1 ms to 1 h.
        let millis = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX).clamp(1, 3_600_000);
        let mut said = [0 as c_char; 256];
        // SAFETY: the options are alive, and the text has the length that is said.
        let code = unsafe {
            sys::rd_kafka_AdminOptions_set_request_timeout(options.0, millis, said.as_mut_ptr(), said.len())
        };
        if code == sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            Ok(options)
        } else {
            Err(TopicError::Library("take a time limit"))
        }
    }

    pub(crate) fn ptr(&self) -> *const sys::rd_kafka_AdminOptions_t {
        self.0
    }
}

impl Drop for Options {
    fn drop(&mut self) {
        // SAFETY: made by `describing`, not null, and freed nowhere else.
        unsafe { sys::rd_kafka_AdminOptions_destroy(self.0) }
    }
}

/// Where the answer comes: a queue of its own, so that nobody else takes it.
pub(crate) struct Queue(*mut sys::rd_kafka_queue_t);

impl Queue {
    pub(crate) fn new(client: &NativeClient) -> Result<Self, TopicError> {
        // SAFETY: the client is borrowed, so it is alive.
        let made = unsafe { sys::rd_kafka_queue_new(client.ptr()) };
        if made.is_null() { Err(TopicError::Library("make a queue")) } else { Ok(Self(made)) }
    }

    /// The client's own, where it says what went wrong with no question of anybody's.
    pub(crate) fn main(client: &NativeClient) -> Option<Self> {
        // SAFETY: the client is borrowed, so it is alive; the reference is ours, and given back by `drop`.
        let main = unsafe { sys::rd_kafka_queue_get_main(client.ptr()) };
        (!main.is_null()).then_some(Self(main))
    }

    pub(crate) fn ptr(&self) -> *mut sys::rd_kafka_queue_t {
        self.0
    }

    /// The next event, waiting for it up to `limit`; it may return with none a little early.
    pub(crate) fn poll(&self, limit: Duration) -> Option<Event> {
        let millis = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the queue is alive; the event becomes ours.
        let event = unsafe { sys::rd_kafka_queue_poll(self.0, millis) };
        (!event.is_null()).then_some(Event(event))
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: made by `new` or `main`, not null, and freed nowhere else. An answer that comes later is freed by
        // librdkafka, which finds the queue closed.
        unsafe { sys::rd_kafka_queue_destroy(self.0) }
    }
}

/// An answer, and all that is read from it.
pub(crate) struct Event(*mut sys::rd_kafka_event_t);

impl Event {
    pub(crate) fn ptr(&self) -> *mut sys::rd_kafka_event_t {
        self.0
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: given to us by `poll`, not null, and freed nowhere else.
        unsafe { sys::rd_kafka_event_destroy(self.0) }
    }
}
