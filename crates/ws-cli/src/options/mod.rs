//! Options: raw per source, then one resolved [`Options`](validate::Options).
//!
//! A value can be set in a configuration file, in the script, in the environment and on the command line. What there is to set, under which
//! name in each of these, is a row of the [`table`]. Each source is read into a [`Layer`](table::Layer) of its own
//! (what was said), [`merge`] lays them on top of each other, and [`validate`] turns the outcome into options (what it
//! means) or into the list of everything that is wrong with it.

pub(crate) mod config;
pub(crate) mod env;
pub(crate) mod features;
pub(crate) mod flags;
mod form;
mod json;
mod known;
pub(crate) mod merge;
pub(crate) mod network;
mod parse;
mod row;
pub(crate) mod runtime;
pub(crate) mod scenario;
pub(crate) mod script;
mod segment;
mod stages;
mod suggest;
pub(crate) mod table;
pub(crate) mod thresholds;
pub(crate) mod tls;
pub(crate) mod validate;
