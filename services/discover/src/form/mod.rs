//! 上报表: what can be chosen on the form, and what a filled-in one says. Pure.

mod choices;
mod filled;

pub(crate) use choices::{Choices, GridChoice, Group, Registration, Urgency};
pub(crate) use filled::{FieldFault, Filled, LONGEST_ADDRESS, Wanted};
