//! What handlers take out of requests, each with our own errors.

mod body;
mod form;
mod query;
mod scope;

pub(crate) use self::{
    body::{Payload, read, required},
    form::{FILE_LIMIT, Form, Upload},
    query::Params,
    scope::{PathVars, Scope},
};
