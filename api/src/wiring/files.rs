//! What lies in the data folder beside the store: the generated master key and the bootstrap token, readable by their owner only.

use std::path::{Path, PathBuf};

use commands::Entropy as _;

use super::StartError;
use crate::adapters::master_key::MasterKeys;
use crate::adapters::system::SystemEntropy;
use crate::config::{BOOTSTRAP_TOKEN_CHARS_MIN, Config, MasterKeySource, read_master_key};
use crate::hex::hex;

/// The given master key, or the one of the data folder, made at the first start.
pub(super) fn master_key(source: &MasterKeySource) -> Result<MasterKeys, StartError> {
    match source {
        MasterKeySource::Given(keys) => Ok(keys.clone()),
        MasterKeySource::Generated(file) => {
            if !file.exists() {
                let comment = "# Master key of this data folder. Without it nothing sealed in its database can be read again.\n";
                write_private(file, &format!("{comment}{}\n", *MasterKeys::generate()?))?;
            }
            read_master_key(file).map_err(StartError::MasterKey)
        }
    }
}

/// The given token, or one that is kept in the data folder so that whoever may read it may found the deployment.
pub(super) fn bootstrap_token(config: &Config) -> Result<String, StartError> {
    if let Some(token) = &config.bootstrap_token {
        return Ok(token.clone());
    }
    let file = bootstrap_file(config);
    if !file.exists() {
        write_private(&file, &hex(&SystemEntropy.secret()))?;
    }
    let text = std::fs::read_to_string(&file)
        .map_err(|error| StartError::File(file.display().to_string(), error))?;
    match text.trim() {
        // An empty token would let everybody found the deployment.
        short if short.len() < BOOTSTRAP_TOKEN_CHARS_MIN => {
            Err(StartError::BootstrapToken(file.display().to_string()))
        }
        token => Ok(token.to_owned()),
    }
}

/// Where a token that was not given is kept.
pub(super) fn bootstrap_file(config: &Config) -> PathBuf {
    config.data.join("bootstrap-token")
}

/// Writes a file that only its owner may read, whole or not at all: a name that stands here after a crash stands for all of its text.
fn write_private(file: &Path, text: &str) -> Result<(), StartError> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let failed = |error| StartError::File(file.display().to_string(), error);
    let folder = file.parent().unwrap_or_else(|| Path::new("."));
    std::fs::create_dir_all(folder).map_err(failed)?;
    let draft = file.with_extension("draft");
    let mut open = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)
        .map_err(failed)?;
    open.write_all(text.as_bytes()).and_then(|()| open.sync_all()).map_err(failed)?;
    std::fs::rename(&draft, file).map_err(failed)?;
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}
