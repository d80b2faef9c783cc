//! `onair query cache`: what the local engine keeps of logs.

use serde_json::json;

use crate::context::Context;
use crate::error::Failure;
use crate::event::bytes::short_bytes;
use crate::render::{Answer, Sheet};

pub(super) const COMMAND: &str = "query cache";

/// Show or drop what the local engine keeps of logs
///
/// Columns that a local query read are kept on this machine, so that the next query need not go through
/// the text again. What was used least is dropped past 10 GB. Nothing of it is needed: logs are read again.
///
/// Example: onair query cache --clear
#[derive(Debug, clap::Args)]
pub(crate) struct CacheArgs {
    /// Drop all of it
    #[arg(long)]
    clear: bool,
}

pub(super) fn run(args: &CacheArgs, context: &Context) -> Result<Answer, Failure> {
    let folder = context.cache_folder().map(|folder| folder.join("logs"));
    let (files, bytes) = folder.as_deref().map_or((0, 0), size);
    if args.clear
        && let Some(folder) = folder.as_deref().filter(|folder| folder.exists())
    {
        std::fs::remove_dir_all(folder).map_err(|error| {
            Failure::failed(
                "query.cache",
                format!("{} could not be dropped", folder.display()),
            )
            .because(error)
        })?;
    }
    let place = folder
        .as_ref()
        .map_or("nowhere".to_owned(), |folder| folder.display().to_string());
    let what = format!("{files} files, {}", short_bytes(bytes));
    let text = if args.clear {
        format!("dropped {what}: {place}\n")
    } else {
        format!("{what}: {place}\n")
    };
    let mut sheet = Sheet::new(&["folder", "files", "bytes"]);
    sheet.push([place.clone(), files.to_string(), bytes.to_string()]);
    let data = json!({
        "folder": folder.map(|folder| folder.display().to_string()),
        "files": files,
        "bytes": bytes,
        "cleared": args.clear,
    });
    Ok(Answer::new(COMMAND, data, text).with_sheet(sheet))
}

/// Files below a folder, and their bytes.
fn size(folder: &std::path::Path) -> (u64, u64) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return (0, 0);
    };
    let mut total = (0, 0);
    for entry in entries.flatten() {
        let (files, bytes) = match entry.metadata() {
            Ok(meta) if meta.is_dir() => size(&entry.path()),
            Ok(meta) => (1, meta.len()),
            Err(_) => (0, 0),
        };
        total = (total.0 + files, total.1 + bytes);
    }
    total
}
