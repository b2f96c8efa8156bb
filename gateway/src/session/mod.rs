//! Who is calling: tokens made and verified here, and the identity that a request carries.

mod caller;
mod strangers;
mod token;
mod vouch;

pub(crate) use self::{
    caller::{Identity, bearer, identify, identify_token},
    strangers::Strangers,
    token::Keys,
    vouch::Vouchers,
};
