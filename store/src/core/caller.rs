//! Who asks. A [`Caller`] is what a request says; a [`Principal`] is what the store knows about them.

use std::{borrow::Cow, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use super::record::Record;

/// The e-mail that stands in `created_by` of what the service role writes, as in the official server.
pub const SERVICE_EMAIL: &str = "server@server.com";

/// The id that stands in `created_by_id` of what the service role writes.
pub const SERVICE_ID: &str = "service-role";

/// On whose behalf a request is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Caller {
    /// Nobody signed in.
    Anonymous,
    /// A signed-in user.
    User {
        /// Lower case.
        email: String,
        /// The developer asked to pass by the rules.
        bypass_rules: bool,
    },
    /// The service role, to which rules do not apply.
    Service,
}

/// A caller with the user record that belongs to them. A user whom the store does not know is nobody.
#[derive(Clone, Debug)]
pub enum Principal {
    /// Nobody signed in.
    Anonymous,
    /// A signed-in user.
    User {
        /// Their record.
        record: Arc<Record>,
        /// The developer asked to pass by the rules.
        bypass_rules: bool,
    },
    /// The service role.
    Service,
}

impl Principal {
    /// Whether rules do not apply.
    #[must_use]
    pub const fn is_exempt(&self) -> bool {
        match self {
            Self::Anonymous => false,
            Self::User { bypass_rules, .. } => *bypass_rules,
            Self::Service => true,
        }
    }

    /// The user's record, where there is one.
    #[must_use]
    pub const fn user(&self) -> Option<&Arc<Record>> {
        match self {
            Self::User { record, .. } => Some(record),
            Self::Anonymous | Self::Service => None,
        }
    }

    /// Whether it is the service role or a user who may manage others.
    #[must_use]
    pub fn manages_users(&self) -> bool {
        let role = self.user().and_then(|user| user.text("role"));
        self.is_exempt() || role.as_deref() == Some("admin")
    }

    /// E-mail and id for the stamps of a new record.
    #[must_use]
    pub fn creator(&self) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
        match self {
            Self::Anonymous => None,
            Self::User { record, .. } => Some((record.text("email")?, record.text("id")?)),
            Self::Service => Some((SERVICE_EMAIL.into(), SERVICE_ID.into())),
        }
    }
}

/// For log lines.
impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("anonymous"),
            Self::User { record, .. } => {
                f.write_str(&record.text("email").unwrap_or(Cow::Borrowed("user")))
            }
            Self::Service => f.write_str("service role"),
        }
    }
}
