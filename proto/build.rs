//! Compiles the schema with protox, so that nobody needs `protoc`, and keeps the descriptors for reflection.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message as _;

const FILES: [&str; 4] = [
    "backlot/v1/common.proto",
    "backlot/v1/gateway.proto",
    "backlot/v1/runner.proto",
    "backlot/v1/store.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=schema");
    let descriptors = protox::compile(FILES, ["schema"])?;

    // `compile_fds` ignores `file_descriptor_set_path`, so the set is written here.
    let out = PathBuf::from(env::var("OUT_DIR")?).join("descriptors.bin");
    fs::write(out, descriptors.encode_to_vec())?;

    tonic_prost_build::configure()
        .bytes(".")
        .compile_fds(descriptors)?;
    Ok(())
}
