//! The handlers, one file for each part of the API.

pub(crate) mod auth;
pub(crate) mod entities;
pub(crate) mod fallback;
pub(crate) mod functions;
pub(crate) mod integrations;
pub(crate) mod invitations;
pub(crate) mod login;
pub(crate) mod media;
pub(crate) mod settings;

mod import;
mod users;
