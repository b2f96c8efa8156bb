//! The store's pure core: what a request means for the records, without a runtime, a network or a clock.

pub mod access;
pub mod aggregate;
pub mod body;
pub mod caller;
pub mod change;
pub mod collection;
pub mod database;
pub mod error;
pub mod fault;
pub mod filter;
pub mod index;
pub mod instant;
pub mod note;
pub mod path;
pub mod project;
pub mod record;
pub mod schema;
pub mod sort;
pub mod stamp;
pub mod timeline;
pub mod update;
pub mod users;
pub mod value;
pub mod view;

#[cfg(test)]
pub(crate) mod testing;

#[cfg(test)]
mod garbage;
