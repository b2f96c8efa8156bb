//! The users of the app: their records, which entity routes can read and partly change, and their accounts, which they
//! cannot.

mod codes;
mod registration;
mod reset;

use std::{collections::HashMap, sync::Arc};

use serde_json::{Value, json};

use self::{registration::Registration, reset::Reset};
pub use self::{
    registration::{CODE_MINUTES, Pending},
    reset::{WRONG_PASSWORD, check_new},
};
use super::{
    body::{Body, BodyWriter},
    caller::SERVICE_EMAIL,
    collection::Collection,
    fault::Fault,
    record::{Fields, Record, Stamp, is_built_in},
    schema::Schema,
    stamp::{RecordId, Timestamp},
};

/// The name of the entity that users are.
pub const USER: &str = "User";

/// The field that says what a user may do. Those who manage users can set it.
pub const ROLE: &str = "role";

/// Fields of a user that the platform manages.
const MANAGED: [&str; 9] = [
    "email",
    "full_name",
    "disabled",
    "is_verified",
    "app_id",
    "is_service",
    "_app_role",
    ROLE,
    "collaborator_role",
];

/// Least number of characters of a password; [`SHORT_PASSWORD`] says so.
const MIN_PASSWORD_CHARS: usize = 8;

/// A salted hash of a password, in the text form of the password hashing competition.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// How a user shows who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The developer's own user: any password will do.
    Any,
    /// This password.
    Password(PasswordHash),
    /// No password works: the person signs in through the platform.
    Elsewhere,
}

#[derive(Debug)]
struct Account {
    id: RecordId,
    password: Option<PasswordHash>,
}

/// Records, accounts, and registrations that are under way.
#[derive(Debug)]
pub struct Users {
    name: Arc<str>,
    schema: Option<Arc<Schema>>,
    bare: Arc<Schema>,
    records: Collection,
    accounts: HashMap<String, Account>,
    developer: Option<String>,
    app_id: Arc<str>,
    registrations: HashMap<String, Registration>,
    invitations: HashMap<String, String>,
    resets: Vec<Reset>,
}

impl Default for Users {
    fn default() -> Self {
        Self {
            name: USER.into(),
            schema: None,
            bare: Arc::new(Schema::bare(USER)),
            records: Collection::default(),
            accounts: HashMap::new(),
            developer: None,
            app_id: "local".into(),
            registrations: HashMap::new(),
            invitations: HashMap::new(),
            resets: Vec::new(),
        }
    }
}

/// A new user, before it has an id.
#[derive(Clone, Copy, Debug)]
pub struct Newcomer<'a> {
    /// Lower case.
    pub email: &'a str,
    /// Shown name; the part of the address before the `@` when empty.
    pub full_name: &'a str,
    /// What rules call the role.
    pub role: &'a str,
}

impl Users {
    /// The entity's name.
    #[must_use]
    pub fn name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    /// The app's id.
    #[must_use]
    pub fn app_id(&self) -> Arc<str> {
        Arc::clone(&self.app_id)
    }

    /// User records.
    #[must_use]
    pub const fn records(&self) -> &Collection {
        &self.records
    }

    /// User records, to be changed.
    pub const fn records_mut(&mut self) -> &mut Collection {
        &mut self.records
    }

    /// The schema of the fields that the app adds, if it adds any.
    #[must_use]
    pub const fn own_schema(&self) -> Option<&Arc<Schema>> {
        self.schema.as_ref()
    }

    /// That schema, or one without fields.
    #[must_use]
    pub fn schema(&self) -> Arc<Schema> {
        Arc::clone(self.schema.as_ref().unwrap_or(&self.bare))
    }

    /// Replaces the schema. Nobody loses anything, and defaults of new fields reach everybody.
    pub fn set_schema(&mut self, schema: Option<Arc<Schema>>) {
        self.schema = schema;
        let schema = self.schema();
        let users: Vec<_> = self.records.snapshot().iter().cloned().collect();
        for user in users {
            let mut fields = user.fields();
            let before = fields.len();
            schema.apply_defaults(&mut fields);
            if fields.len() != before {
                self.records.replace(&user, Body::from(&fields));
            }
        }
    }

    /// The user with this e-mail address.
    #[must_use]
    pub fn by_email(&self, email: &str) -> Option<&Arc<Record>> {
        let account = match self.accounts.get(email) {
            Some(account) => account,
            None => self.accounts.get(&address(email))?,
        };
        self.records.get(&account.id.to_string())
    }

    /// How the user with this address shows who they are.
    ///
    /// # Errors
    ///
    /// When there is no such user.
    pub fn proof(&self, email: &str) -> Result<Proof, Fault> {
        let email = address(email);
        let account = self.accounts.get(&email);
        let account = account.ok_or(Fault::Unauthenticated("Unauthorized"))?;
        if self.developer.as_ref() == Some(&email) {
            return Ok(Proof::Any);
        }
        Ok(match &account.password {
            Some(hash) => Proof::Password(hash.clone()),
            None => Proof::Elsewhere,
        })
    }

    /// Says for whom any password will do.
    pub fn set_developer(&mut self, email: &str, app_id: &str) {
        self.developer = Some(address(email));
        if !app_id.is_empty() {
            self.app_id = app_id.into();
        }
    }

    /// Adds a user.
    pub fn add(&mut self, id: RecordId, now: Timestamp, newcomer: Newcomer<'_>) -> Arc<Record> {
        let email = address(newcomer.email);
        let mut fields = self.profile(&email, newcomer);
        self.schema().apply_defaults(&mut fields);
        let text = id.to_string();
        let stamp = Stamp {
            id,
            now,
            creator: Some((&email, &text)),
        };
        let mut body = BodyWriter::default();
        body.extend(&fields);
        stamp.write(&mut body);
        let record = self.records.insert(id, body.finish());
        self.accounts.insert(email, Account { id, password: None });
        record
    }

    fn profile(&self, email: &str, newcomer: Newcomer<'_>) -> Fields {
        let name = match newcomer.full_name {
            "" => email.split('@').next().unwrap_or(email),
            name => name,
        };
        let collaborator = (self.developer.as_deref() == Some(email)).then_some("editor");
        let values = [
            json!(email),
            json!(name),
            Value::Null,
            json!(true),
            json!(&*self.app_id),
            json!(false),
            json!(newcomer.role),
            json!(newcomer.role),
            json!(collaborator),
        ];
        let names = MANAGED.into_iter().map(str::to_owned);
        names.zip(values).collect()
    }

    fn set_password(&mut self, email: &str, hash: PasswordHash) {
        if let Some(account) = self.accounts.get_mut(email) {
            account.password = Some(hash);
        }
    }
}

/// Whether clients cannot set this field of a user.
#[must_use]
pub fn is_managed(field: &str) -> bool {
    is_built_in(field) || MANAGED.contains(&field)
}

/// An e-mail address as it identifies an account.
#[must_use]
pub fn address(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Refuses the address that the service role signs with.
///
/// # Errors
///
/// A message for the person who typed it.
pub fn refuse_service(email: &str) -> Result<(), Fault> {
    match address(email) == SERVICE_EMAIL {
        true => Err(Fault::bad_request("A user with this email already exists")),
        false => Ok(()),
    }
}

/// An address as it identifies an account; refuses what is not one, and the one that the service role signs with.
///
/// # Errors
///
/// A message for the person who typed it.
pub fn check_address(email: &str) -> Result<String, Fault> {
    refuse_service(email)?;
    let email = address(email);
    match super::schema::is_email(&email) {
        true => Ok(email),
        false => Err(Fault::bad_request("Please enter a valid email address")),
    }
}

/// Whether a password is long enough.
#[must_use]
pub fn is_long_enough(password: &str) -> bool {
    password.chars().count() >= MIN_PASSWORD_CHARS
}

/// The words for a password that is too short.
pub const SHORT_PASSWORD: &str = "Password must be at least 8 characters long";
