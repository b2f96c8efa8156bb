//! One file a sub-command.

pub(crate) mod dev;
pub(crate) mod guard;
pub(crate) mod status;
