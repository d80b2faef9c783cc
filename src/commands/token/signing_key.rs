//! Where the key is that tokens are checked or signed with: named on the command line or by the
//! runbook, read once, shown never.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

use crate::context::Context;
use crate::error::{Exit, Failure};
use crate::runbook::{KeySource, Runbook};
use crate::token::{Key, KeyError};

/// No key is larger; a file that is was named by mistake.
const LARGEST: u64 = 64 * 1024;

/// A key by where it is: PEM, JWK, or the bare secret.
#[derive(Debug, clap::Args)]
pub(super) struct KeyArgs {
    /// Environment variable that holds the key: a PEM public key, a JWK, or the bare secret
    #[arg(long, value_name = "NAME", conflicts_with = "key_file")]
    key_env: Option<String>,
    /// File that holds the key: a PEM public key, a JWK, or the bare secret
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

/// A key and what to call it.
pub(super) struct NamedKey {
    pub(super) key: Key,
    /// Where it came from, such as `$CUP_FINAL_SIGNING_KEY`.
    pub(super) name: String,
    /// Whether the command line asked for it.
    pub(super) asked: bool,
}

impl KeyArgs {
    /// Whether the command line names a key.
    pub(super) fn is_named(&self) -> bool {
        self.key_env.is_some() || self.key_file.is_some()
    }

    /// The key that the command line names, else the runbook's; `Err` inside says why the runbook's
    /// cannot be had.
    pub(super) fn find(
        &self,
        runbook: Option<&Runbook>,
        context: &Context,
    ) -> Result<Result<NamedKey, String>, Failure> {
        if let Some(name) = &self.key_env {
            return of_environment(name, context, true).map(Ok);
        }
        if let Some(file) = &self.key_file {
            return of_file(file, true).map(Ok);
        }
        let source = runbook
            .and_then(|runbook| runbook.tokens.as_ref())
            .and_then(|tokens| tokens.key.as_ref());
        let found = match source {
            None => {
                return Ok(Err(
                    "no key is named; --key-env NAME or --key-file FILE names one".to_owned(),
                ));
            }
            Some(KeySource::Env(name)) => of_environment(name, context, false),
            Some(KeySource::File(file)) => of_file(file, false),
            Some(KeySource::Secret(_)) => {
                return Ok(Err("the runbook's key is in Secrets Manager; --key-env or --key-file names one at hand".to_owned()));
            }
        };
        Ok(found.map_err(|failure| failure.message.clone()))
    }

    /// The same where there is no going on without it.
    pub(super) fn require(
        &self,
        runbook: &Runbook,
        context: &Context,
    ) -> Result<NamedKey, Failure> {
        self.find(Some(runbook), context)?.map_err(|reason| {
            Failure::new(
                Exit::Usage,
                "key.missing",
                format!("there is no key to sign with: {reason}"),
            )
            .hint("--key-env NAME or --key-file FILE")
        })
    }
}

fn of_environment(name: &str, context: &Context, asked: bool) -> Result<NamedKey, Failure> {
    // The key itself given by mistake is not to be quoted.
    let word = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !word || name.is_empty() || name.len() > 64 {
        return Err(
            Failure::usage("--key-env takes the name of an environment variable")
                .hint("such as --key-env SIGNING_KEY"),
        );
    }
    let shown = format!("${name}");
    let text = context.environment.get(name).ok_or_else(|| {
        Failure::new(
            Exit::Usage,
            "key.missing",
            format!("the environment variable {shown} is not set"),
        )
    })?;
    let key =
        Key::from_text(&SecretString::from(text)).map_err(|error| unusable(&shown, &error))?;
    Ok(NamedKey {
        key,
        name: shown,
        asked,
    })
}

fn of_file(file: &Path, asked: bool) -> Result<NamedKey, Failure> {
    let path = file.display().to_string();
    // The key itself given by mistake is not to be quoted.
    if path.contains(['\n', '{']) || path.starts_with("-----BEGIN") {
        return Err(Failure::usage("--key-file takes the name of a file")
            .hint("such as --key-file keys/signing.pem"));
    }
    let shown = crate::event::text::shortened(&path, 120);
    let unread = |error: std::io::Error| {
        Failure::new(
            Exit::Usage,
            "key.missing",
            format!("the key file {shown} could not be read"),
        )
        .because(error)
    };
    let size = std::fs::metadata(file).map_err(unread)?.len();
    if size > LARGEST {
        return Err(Failure::usage(format!(
            "{shown} is {size} bytes; no key is larger than {LARGEST}"
        )));
    }
    let bytes = std::fs::read(file).map_err(unread)?;
    let key = match String::from_utf8(bytes) {
        Ok(text) => Key::from_text(&SecretString::from(text)),
        Err(error) => Key::secret(error.into_bytes()),
    };
    let key = key.map_err(|error| unusable(&shown, &error))?;
    Ok(NamedKey {
        key,
        name: shown,
        asked,
    })
}

fn unusable(shown: &str, error: &KeyError) -> Failure {
    Failure::new(
        Exit::Usage,
        "key.malformed",
        format!("the key in {shown} cannot be used"),
    )
    .because(error)
}
