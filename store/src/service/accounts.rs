//! Users and accounts. Passwords are hashed and compared outside the lock.

use proto::v1;

use super::convert::{self, object, user};
use crate::{
    core::{
        caller::Caller,
        database::Known,
        fault::Fault,
        users::{self, CODE_MINUTES, Pending, Proof, WRONG_PASSWORD},
    },
    secret,
    state::State,
};

pub(super) fn seed(state: &State, message: v1::SeedUserRequest) -> Result<v1::UserResponse, Fault> {
    let v1::SeedUserRequest {
        email,
        full_name,
        app_id,
    } = message;
    users::refuse_service(&email)?;
    let seeded = state.write(|database| database.seed_user(&email, &full_name, &app_id));
    Ok(user(seeded))
}

pub(super) fn get_me(
    state: &State,
    message: v1::GetMeRequest,
) -> Result<v1::RecordResponse, Fault> {
    let caller = convert::caller(message.caller);
    let record_json = state.read(|database| database.me(&caller))?;
    Ok(v1::RecordResponse { record_json })
}

pub(super) fn update_me(
    state: &State,
    message: v1::UpdateMeRequest,
) -> Result<v1::RecordResponse, Fault> {
    let changes = object(&message.changes_json, "Request body")?;
    let caller = convert::caller(message.caller);
    let record_json = state.write(|database| database.update_me(&caller, changes))?;
    Ok(v1::RecordResponse { record_json })
}

pub(super) async fn login(
    state: &State,
    message: v1::LoginRequest,
) -> Result<v1::UserResponse, Fault> {
    let proof = state.read(|database| database.users().proof(&message.email))?;
    if !proves(&proof, message.password).await? {
        return Err(Fault::bad_request("Invalid email or password"));
    }
    known(state, &message.email).map(user)
}

async fn proves(proof: &Proof, password: String) -> Result<bool, Fault> {
    match proof {
        Proof::Any => Ok(true),
        Proof::Elsewhere => Ok(false),
        Proof::Password(hash) => secret::is_right(password, hash.clone()).await,
    }
}

fn known(state: &State, email: &str) -> Result<Known, Fault> {
    let known = state.read(|database| database.known_user(email));
    known.ok_or(Fault::Unauthenticated("Unauthorized"))
}

pub(super) async fn register(
    state: &State,
    message: v1::RegisterRequest,
) -> Result<v1::CodeResponse, Fault> {
    let v1::RegisterRequest { email, password } = message;
    let email = state.read(|database| database.users().check_registration(&email, &password))?;
    let hash = secret::hash(password).await?;
    let code = secret::code()?;
    let pending = state.write(|database| database.register(&email, hash, code))?;
    Ok(code_response(pending))
}

fn code_response(pending: Pending) -> v1::CodeResponse {
    v1::CodeResponse {
        id: pending.id,
        code: pending.code,
        expires_in_minutes: CODE_MINUTES,
    }
}

pub(super) fn verify_code(
    state: &State,
    message: &v1::VerifyCodeRequest,
) -> Result<v1::UserResponse, Fault> {
    let verified = state.write(|database| database.verify(&message.email, &message.code));
    verified.map(user)
}

pub(super) fn resend_code(
    state: &State,
    message: &v1::ResendCodeRequest,
) -> Result<v1::CodeResponse, Fault> {
    let code = secret::code()?;
    let pending = state.write(|database| database.renew_code(&message.email, code))?;
    Ok(code_response(pending))
}

pub(super) fn request_reset(
    state: &State,
    message: &v1::RequestPasswordResetRequest,
) -> Result<v1::RequestPasswordResetResponse, Fault> {
    let token = secret::token()?;
    let noted = state.write(|database| database.request_reset(&message.email, &token));
    let token = if noted { token } else { String::new() };
    Ok(v1::RequestPasswordResetResponse { token })
}

pub(super) async fn reset(
    state: &State,
    message: v1::ResetPasswordRequest,
) -> Result<v1::ResetPasswordResponse, Fault> {
    let v1::ResetPasswordRequest {
        token,
        new_password,
    } = message;
    state.write(|database| database.check_reset(&token, &new_password))?;
    let hash = secret::hash(new_password).await?;
    state.write(|database| database.reset_password(&token, hash))?;
    Ok(v1::ResetPasswordResponse {})
}

pub(super) async fn change_password(
    state: &State,
    message: v1::ChangePasswordRequest,
) -> Result<v1::ChangePasswordResponse, Fault> {
    let email = own_email(state, convert::caller(message.caller), &message.user_id)?;
    users::check_new(&message.new_password)?;
    let proof = state.read(|database| database.users().proof(&email))?;
    if !proves(&proof, message.current_password).await? {
        return Err(Fault::Unauthenticated(WRONG_PASSWORD));
    }
    let hash = secret::hash(message.new_password).await?;
    state.write(|database| database.change_password(&email, &proof, hash))?;
    Ok(v1::ChangePasswordResponse {})
}

/// The caller's address, if `user_id` is their own id.
fn own_email(state: &State, caller: Caller, user_id: &str) -> Result<String, Fault> {
    let Caller::User { email, .. } = caller else {
        return Err(Fault::Unauthenticated("Unauthorized"));
    };
    let own = known(state, &email)?;
    match own.id == user_id {
        true => Ok(own.email),
        false => Err(Fault::Forbidden("You can only change your own password")),
    }
}

pub(super) fn invite(
    state: &State,
    message: v1::InviteUserRequest,
) -> Result<v1::InviteUserResponse, Fault> {
    let caller = convert::caller(message.caller);
    let v1::InviteUserRequest { email, role, .. } = message;
    state.write(|database| database.invite(&caller, &email, &role))?;
    Ok(v1::InviteUserResponse {})
}

pub(super) fn vouch(
    state: &State,
    message: &v1::VouchUserRequest,
) -> Result<v1::UserResponse, Fault> {
    let vouched = state.write(|database| database.vouch_user(&message.email, &message.full_name));
    vouched.map(user)
}
