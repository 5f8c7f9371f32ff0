//! The words and the rules of grid governance (网格化治理). No I/O, no async, no framework.
//!
//! Read in the order an incident meets them: a [`report`] with a [`place`] and a [`category`] is
//! routed to an [`area`] and a [`holder`]; it becomes a [`case`] with [`deadline`]s; what happens to
//! it is told in [`facts`]. A [`partner`] organisation may be offered it. Who may do what is one table in
//! [`rights`].

pub mod area;
pub mod border;
pub mod calendar;
pub mod case;
pub mod category;
pub mod deadline;
pub mod district;
pub mod explain;
pub mod facts;
pub mod holder;
pub mod id;
pub mod naming;
pub mod partner;
pub mod place;
pub mod policy;
pub mod report;
pub mod rights;
pub mod routing;
pub mod text;
