//! Random UUIDs, version 4 (RFC 9562, section 5.4): names of uploaded files, ids of realtime sessions and of
//! requests to the platform.

use crate::hex;

/// A new one, in lower case.
///
/// # Errors
///
/// When the operating system has no randomness to give.
pub fn random() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)?;
    Ok(text(bytes))
}

fn text(mut bytes: [u8; 16]) -> String {
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = hex::of(&bytes);
    let (a, b, c, d, e) = (
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    );
    format!("{a}-{b}-{c}-{d}-{e}")
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn version_and_variant_are_in_their_places() {
        assert_eq!(text([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(text([0; 16]), "00000000-0000-4000-8000-000000000000");
    }
}
