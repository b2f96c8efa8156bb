//! Bytes as lower-case hex, and random ones: secrets and ids.

/// The bytes, two digits each.
#[must_use]
pub fn of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// 128 random bits from the operating system.
///
/// # Errors
///
/// When the operating system has no randomness to give.
pub fn random() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)?;
    Ok(of(&bytes))
}
