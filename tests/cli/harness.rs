//! A place for the real binary to run in: a folder of its own with the worked runbook, an empty
//! environment, and what it answered as text, code and JSON.
//!
//! `Desk::new()` is jess's desk; `desk.as_operator("tom")` is a colleague's in the same folder.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;

/// The worked runbook: every desk has it.
const RUNBOOK: &str = include_str!("../../runbooks/cup-final.toml");

/// Where one operator sits: a folder that is shared, and an environment that is not.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    folder: Arc<TempDir>,
    environment: BTreeMap<String, String>,
    leading: Vec<String>,
}

/// What one run of the binary answered.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// The exit code; 128 and the signal's number when a signal ended it.
    pub(crate) code: i32,
}

/// The embedded cloud on a loopback port. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) url: String,
    child: Child,
}

impl Desk {
    /// Jess's desk: `runbooks/cup-final.toml` in a new folder, nothing else.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = path.to_string_lossy().into_owned();
        let environment = BTreeMap::from([
            ("PATH".to_owned(), path),
            ("HOME".to_owned(), folder.path().display().to_string()),
            ("USER".to_owned(), "jess".to_owned()),
        ]);
        let desk = Self {
            folder: Arc::new(folder),
            environment,
            leading: Vec::new(),
        };
        desk.write("runbooks/cup-final.toml", RUNBOOK);
        desk
    }

    /// Another operator in the same folder.
    pub(crate) fn as_operator(&self, name: &str) -> Self {
        self.fake_env("ONAIR_OPERATOR", name)
    }

    /// The same desk with one more environment variable.
    pub(crate) fn fake_env(&self, name: &str, value: &str) -> Self {
        let mut desk = self.clone();
        desk.environment.insert(name.to_owned(), value.to_owned());
        desk
    }

    /// The same desk with options that every run begins with, such as `--rehearsal`.
    pub(crate) fn always(&self, options: &[&str]) -> Self {
        let mut desk = self.clone();
        desk.leading
            .extend(options.iter().map(|option| (*option).to_owned()));
        desk
    }

    /// The same desk in rehearsal.
    pub(crate) fn rehearsing(&self) -> Self {
        self.always(&["--rehearsal"])
    }

    /// The same desk with a custom endpoint and credentials that any emulator takes.
    pub(crate) fn against(&self, url: &str) -> Self {
        self.fake_env("AWS_ENDPOINT_URL", url)
            .fake_env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .fake_env("AWS_SECRET_ACCESS_KEY", "made-up-for-tests")
            .fake_env("AWS_REGION", "us-east-1")
            .fake_env("AWS_EC2_METADATA_DISABLED", "true")
            .fake_env("ONAIR_ADDRESS_URL", "none")
            .fake_env("ONAIR_EVENT", "cup-final")
            .as_operator("jess")
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// Writes a file, with the folders that it needs.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        let parent = path.parent().expect("a file in the folder has a parent");
        std::fs::create_dir_all(parent).expect("folders can be made");
        std::fs::write(&path, content).expect("files can be written");
        path
    }

    /// Reads a file as text.
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name))
            .unwrap_or_else(|error| panic!("{name} cannot be read: {error}"))
    }

    /// Replaces words in the worked runbook.
    pub(crate) fn edit_runbook(&self, from: &str, to: &str) {
        let text = self.read("runbooks/cup-final.toml");
        assert!(text.contains(from), "the runbook does not have `{from}`");
        self.write("runbooks/cup-final.toml", text.replace(from, to));
    }

    /// Runs the binary with nothing on standard input.
    pub(crate) fn onair(&self, arguments: &[&str]) -> Run {
        self.onair_with_input(arguments, "")
    }

    /// Runs the binary with `input` on standard input.
    pub(crate) fn onair_with_input(&self, arguments: &[&str], input: impl AsRef<[u8]>) -> Run {
        let mut child = self
            .command(arguments)
            .spawn()
            .expect("the binary can be run");
        let mut stdin = child.stdin.take().expect("standard input is a pipe");
        let input = input.as_ref().to_vec();
        let writer = std::thread::spawn(move || {
            // A program that does not read its input closes the pipe, which is its choice.
            drop(stdin.write_all(&input));
        });
        let output = child.wait_with_output().expect("the binary ends");
        writer.join().expect("the input is written");
        Run::of(&output)
    }

    /// The command that `onair` runs, for tests that start, signal or kill it themselves.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onair"));
        command
            .args(&self.leading)
            .args(arguments)
            .current_dir(self.folder())
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Serves the embedded cloud of the worked runbook on a free port, without rates.
    pub(crate) fn sandbox_serve(&self) -> Served {
        self.sandbox_serve_with(&["--rates", "off"])
    }

    /// Serves the embedded cloud with these options.
    pub(crate) fn sandbox_serve_with(&self, options: &[&str]) -> Served {
        let mut arguments = vec!["-e", "cup-final", "-o", "json", "sandbox", "serve"];
        arguments.extend(["--port", "0"]);
        arguments.extend(options);
        let mut child = self
            .command(&arguments)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary can be run");
        let stdout = child.stdout.take().expect("standard output is a pipe");
        let mut line = String::new();
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("the first line can be read");
        let ready: Value = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("the first line is not JSON ({error}): {line}"));
        let url = ready["url"].as_str().expect("the first line has the URL");
        Served {
            url: url.to_owned(),
            child,
        }
    }

    /// Every file below the folder, for tests that look for what must not be there.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    walk(&path, found);
                } else {
                    found.push(path);
                }
            }
        }
        let mut found = Vec::new();
        walk(self.folder(), &mut found);
        found.sort();
        found
    }

    /// Text with what varies from run to run replaced by its name: the folder, loopback ports,
    /// ULIDs and times.
    pub(crate) fn redact(&self, text: &str) -> String {
        let folder = self.folder().display().to_string();
        redact_words(&text.replace(&folder, "[FOLDER]"))
    }
}

impl Run {
    fn of(output: &std::process::Output) -> Self {
        use std::os::unix::process::ExitStatusExt;
        let status = output.status;
        let code = status
            .code()
            .unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
        Self {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            code,
        }
    }

    /// The one JSON document on standard output.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!("standard output is not one JSON document: {error}\n{self}")
        })
    }

    /// The run itself, when it ended with this code.
    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self}");
        self
    }

    /// The run itself, when it ended well.
    #[track_caller]
    pub(crate) fn expect_success(self) -> Self {
        self.expect_code(0)
    }

    /// Code, output and talk in one text, for snapshots.
    pub(crate) fn shown(&self, desk: &Desk) -> String {
        desk.redact(&self.to_string())
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "exit {}\n--- stdout\n{}--- stderr\n{}",
            self.code, self.stdout, self.stderr
        )
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Replaces ULIDs, RFC 3339 times and loopback ports in text.
fn redact_words(text: &str) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut word = String::new();
    for character in text.chars() {
        if character.is_ascii_alphanumeric() || matches!(character, ':' | '.' | '-' | '/') {
            word.push(character);
        } else {
            redacted.push_str(&redact_word(&word));
            word.clear();
            redacted.push(character);
        }
    }
    redacted.push_str(&redact_word(&word));
    redacted
}

fn redact_word(word: &str) -> String {
    let is_ulid = |text: &str| {
        text.len() == 26
            && text.starts_with('0')
            && text
                .chars()
                .all(|one| one.is_ascii_uppercase() || one.is_ascii_digit())
    };
    let is_time = |text: &str| {
        let bytes = text.as_bytes();
        bytes.len() >= 20 && bytes[4] == b'-' && bytes[10] == b'T' && text.ends_with('Z')
    };
    if is_ulid(word) {
        return "[ULID]".to_owned();
    }
    if is_time(word) {
        return "[TIME]".to_owned();
    }
    match word.split_once("127.0.0.1:") {
        Some((before, port)) => {
            let rest = port.trim_start_matches(|one: char| one.is_ascii_digit());
            format!("{before}127.0.0.1:[PORT]{rest}")
        }
        None => word.to_owned(),
    }
}
