//! The streams: the only place that prints, reads the terminal, colors and draws progress.
//! Standard output is the answer; standard error is talk.

use std::cell::{Cell, RefCell};
use std::io::{BufRead, IsTerminal, Read, Write};
use std::rc::Rc;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::Notify;

use crate::cloud::Approved;
use crate::error::{Exit, Failure};

/// Colors have one meaning each, and everything reads without them.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default();
pub(crate) const HINT: Style = AnsiColor::Cyan.on_default();
pub(crate) const STRONG: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();

/// Width assumed where the terminal does not say.
const DEFAULT_WIDTH: usize = 100;

/// When to color.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    Always,
    Never,
}

/// The user's terminal, or the lack of one.
#[derive(Debug, Clone)]
pub(crate) struct Ui {
    quiet: bool,
    json: bool,
    interrupt: Interrupt,
    lost: Rc<RefCell<Option<std::io::Error>>>,
}

/// Ctrl-C: the first asks for a stop at the next safe point, the second leaves at once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt(Rc<InterruptState>);

#[derive(Debug, Default)]
struct InterruptState {
    requested: Cell<bool>,
    /// How many steps under way must not be cut.
    writing: Cell<u32>,
    notify: Notify,
}

/// While it lives, a Ctrl-C waits for the step in hand.
#[derive(Debug)]
pub(crate) struct WritingGuard(Interrupt);

impl Interrupt {
    /// Notes one Ctrl-C; says whether it was the first.
    pub(crate) fn request(&self) -> bool {
        let first = !self.0.requested.replace(true);
        self.0.notify.notify_waiters();
        first
    }

    pub(crate) fn is_requested(&self) -> bool {
        self.0.requested.get()
    }

    /// Whether a change is under way.
    pub(crate) fn is_writing(&self) -> bool {
        self.0.writing.get() > 0
    }

    /// Marks that a change is under way.
    pub(crate) fn writing(&self) -> WritingGuard {
        self.0.writing.set(self.0.writing.get() + 1);
        WritingGuard(self.clone())
    }

    /// Waits for a Ctrl-C, whatever is under way.
    pub(crate) async fn requested(&self) {
        while !self.is_requested() {
            let notified = self.0.notify.notified();
            if self.is_requested() {
                break;
            }
            notified.await;
        }
    }

    /// Waits for a Ctrl-C that need not wait for a write.
    pub(crate) async fn stops_at_once(&self) {
        loop {
            let notified = self.0.notify.notified();
            if self.is_requested() && self.0.writing.get() == 0 {
                return;
            }
            notified.await;
        }
    }
}

impl Drop for WritingGuard {
    fn drop(&mut self) {
        let state = &self.0.0;
        state.writing.set(state.writing.get().saturating_sub(1));
    }
}

/// What a change asks the operator for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Question {
    /// Level 0: Enter.
    Enter,
    /// Level 1: `y`.
    Yes,
    /// Level 1 that opens a door to everybody: this value typed at a terminal; --yes is enough without.
    TypedOrYes(String),
    /// Level 2: this value typed.
    Typed(String),
}

/// What the command line answered in advance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Answers {
    pub(crate) yes: bool,
    pub(crate) confirm: Option<String>,
}

impl Ui {
    pub(crate) fn new(quiet: bool, json: bool, color: Color, interrupt: Interrupt) -> Self {
        match color {
            Color::Auto => {}
            Color::Always => anstream::ColorChoice::Always.write_global(),
            Color::Never => anstream::ColorChoice::Never.write_global(),
        }
        Self {
            quiet,
            json,
            interrupt,
            lost: Rc::default(),
        }
    }

    pub(crate) fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// Whether somebody can be asked.
    pub(crate) fn is_interactive(&self) -> bool {
        std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    /// Whether a person reads the answer as it comes.
    pub(crate) fn answers_a_terminal(&self) -> bool {
        std::io::stdout().is_terminal()
    }

    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Columns of the terminal that the answer goes to; none: it goes to a file or a pipe.
    pub(crate) fn answer_width(&self) -> Option<usize> {
        self.answers_a_terminal().then(|| self.width())
    }

    /// Columns of the terminal.
    pub(crate) fn width(&self) -> usize {
        terminal_size::terminal_size()
            .map_or(DEFAULT_WIDTH, |(width, _)| usize::from(width.0).max(40))
    }

    /// Prints the answer. A closed pipe is the reader's choice and ends quietly; what else goes wrong
    /// is told by [`Ui::lost`].
    pub(crate) fn answer(&self, text: &str) {
        let mut stream = anstream::stdout().lock();
        let written = stream
            .write_all(text.as_bytes())
            .and_then(|()| {
                if text.ends_with('\n') || text.is_empty() {
                    Ok(())
                } else {
                    stream.write_all(b"\n")
                }
            })
            .and_then(|()| stream.flush());
        self.note(written);
    }

    /// Why an answer could not be written, in whole or in part.
    pub(crate) fn lost(&self) -> Option<std::io::Error> {
        self.lost.take()
    }

    fn note(&self, written: std::io::Result<()>) {
        if let Err(error) = written
            && error.kind() != std::io::ErrorKind::BrokenPipe
        {
            self.lost.replace(Some(error));
        }
    }

    /// Prints bytes that a program reads, unchanged.
    pub(crate) fn answer_raw(&self, bytes: &[u8]) {
        let mut stream = std::io::stdout().lock();
        let written = stream.write_all(bytes).and_then(|()| stream.flush());
        self.note(written);
    }

    /// Prints an error that is worded already.
    pub(crate) fn error_text(&self, text: &str) {
        self.err(text.trim_end());
    }

    /// Sends logs to standard error: `-v` tells of conflicts and calls, `-vv` and `-vvv` of more.
    /// The SDK stays at `debug`: at `trace` it prints request bodies, keys and tokens included.
    pub(crate) fn start_logging(&self, verbose: u8) {
        let filter = match verbose {
            0 => return,
            1 => "onair=info",
            2 => "onair=debug,aws_config=info",
            _ => "onair=trace,aws_config=debug,aws_runtime=info,aws_smithy_runtime=info",
        };
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::new(filter))
            .with_writer(std::io::stderr)
            .with_target(false)
            .without_time()
            .with_ansi(std::io::stderr().is_terminal())
            .finish();
        // It is set once, here; a second time changes nothing.
        tracing::subscriber::set_global_default(subscriber).ok();
    }

    /// Whether only answers and errors are wanted.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Says something on standard error, unless `--quiet`.
    pub(crate) fn say(&self, text: &str) {
        if !self.quiet {
            self.err(text);
        }
    }

    /// Prints a warning on standard error.
    pub(crate) fn warn(&self, text: &str) {
        if !self.quiet {
            self.err(&format!("{WARN}warning:{WARN:#} {text}"));
        }
    }

    /// Prints a failure on standard error; quiet does not silence it.
    pub(crate) fn fail(&self, failure: &Failure) {
        let mut text = format!("{BAD}error:{BAD:#} {}", failure.message);
        for cause in &failure.causes {
            text.push_str(&format!("\ncaused by: {cause}"));
        }
        if let Some(request) = &failure.request_id {
            text.push_str(&format!("\nAWS request id: {request}"));
        }
        for hint in &failure.hints {
            text.push_str(&format!("\n{HINT}hint:{HINT:#} {hint}"));
        }
        self.err(&text);
    }

    fn err(&self, text: &str) {
        let mut stream = anstream::stderr().lock();
        let written = writeln!(stream, "{text}");
        drop(written);
    }

    /// A progress bar of `length` steps on standard error, hidden where nobody watches.
    pub(crate) fn progress(&self, length: u64, what: &str) -> Progress {
        let hidden = self.quiet || !std::io::stderr().is_terminal();
        let target = if hidden {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(Some(length), target);
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style);
        bar.set_message(what.to_owned());
        if !hidden {
            bar.enable_steady_tick(Duration::from_millis(250));
        }
        Progress(bar)
    }

    /// A line on standard error that says what is going on, hidden where nobody watches.
    pub(crate) fn activity(&self, what: &str) -> Progress {
        let hidden = self.quiet || !std::io::stderr().is_terminal();
        let target = if hidden {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        let style = ProgressStyle::with_template("{spinner} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        bar.set_style(style);
        bar.set_message(what.to_owned());
        if !hidden {
            bar.enable_steady_tick(Duration::from_millis(250));
        }
        Progress(bar)
    }

    /// Everything on standard input, as text.
    pub(crate) fn read_stdin(&self, limit: u64) -> Result<String, Failure> {
        let mut text = String::new();
        std::io::stdin()
            .lock()
            .take(limit + 1)
            .read_to_string(&mut text)
            .map_err(|error| Failure::usage("standard input is not UTF-8 text").because(error))?;
        if text.len() as u64 > limit {
            return Err(Failure::usage(format!(
                "standard input is larger than {limit} bytes"
            )));
        }
        Ok(text)
    }

    /// Reads a secret from a hidden prompt on a terminal, or from standard input.
    pub(crate) fn read_secret(&self, prompt: &str) -> Result<String, Failure> {
        if std::io::stdin().is_terminal() {
            rpassword::prompt_password(format!("{prompt} (hidden): ")).map_err(|error| match error
                .kind()
            {
                std::io::ErrorKind::Interrupted => Failure::interrupted(),
                _ => Failure::usage("the prompt was closed").because(error),
            })
        } else {
            self.read_stdin(64 * 1024 * 1024)
        }
    }

    /// Asks for the confirmation that `question` calls for. The only place that makes an
    /// [`Approved`] for a change by an operator.
    pub(crate) async fn approve(
        &self,
        question: &Question,
        answers: &Answers,
        accepted: &[String],
    ) -> Result<Approved, Failure> {
        let same = |wanted: &str, typed: &str| {
            is_same(wanted, typed) || accepted.iter().any(|one| is_same(one, typed))
        };
        match (question, answers) {
            (
                Question::Typed(wanted) | Question::TypedOrYes(wanted),
                Answers {
                    confirm: Some(typed),
                    ..
                },
            ) => {
                if same(wanted, typed) {
                    return Ok(Approved::by_confirmation());
                }
                return Err(Failure::refused(
                    "confirmation.wrong",
                    format!("--confirm says `{typed}`, but this change needs `{wanted}`"),
                ));
            }
            // A value given to confirm must be the one that is meant, whatever the level.
            (
                Question::Enter | Question::Yes,
                Answers {
                    confirm: Some(typed),
                    ..
                },
            ) => {
                if accepted.iter().any(|one| is_same(one, typed)) {
                    return Ok(Approved::by_confirmation());
                }
                return Err(Failure::refused(
                    "confirmation.wrong",
                    format!("--confirm says `{typed}`, which is not what this change is about"),
                )
                .hint("--yes is enough for it"));
            }
            (
                Question::Enter | Question::Yes | Question::TypedOrYes(_),
                Answers { yes: true, .. },
            ) => {
                return Ok(Approved::by_confirmation());
            }
            (Question::Typed(wanted), Answers { yes: true, .. }) => {
                return Err(Failure::refused(
                    "confirmation.missing",
                    "this change is too far-reaching for --yes",
                )
                .hint(format!("add --confirm {}", quoted(wanted))));
            }
            (
                _,
                Answers {
                    yes: false,
                    confirm: None,
                },
            ) => {}
        }
        if !self.is_interactive() {
            let missing = match question {
                Question::Enter | Question::Yes | Question::TypedOrYes(_) => "--yes".to_owned(),
                Question::Typed(wanted) => format!("--confirm {}", quoted(wanted)),
            };
            return Err(Failure::refused(
                "confirmation.missing",
                "nothing was changed: there is no terminal to confirm at",
            )
            .hint(format!("add {missing}")));
        }
        let prompt = match question {
            Question::Enter => "Enter to go, Ctrl-C to leave it: ".to_owned(),
            Question::Yes => "go? [y/N] ".to_owned(),
            Question::Typed(wanted) | Question::TypedOrYes(wanted) => {
                format!("type {STRONG}{wanted}{STRONG:#} to go, Ctrl-C to leave it: ")
            }
        };
        let line = self.ask(&prompt).await?;
        let agreed = match question {
            Question::Enter => line.is_empty() || is_yes(&line),
            Question::Yes => is_yes(&line),
            Question::Typed(wanted) | Question::TypedOrYes(wanted) => same(wanted, &line),
        };
        if agreed {
            Ok(Approved::by_confirmation())
        } else {
            Err(Failure::refused(
                "confirmation.declined",
                "not confirmed; nothing was changed",
            ))
        }
    }

    /// The approval that tending goes by: whoever starts it orders in advance that what the ledger
    /// says has ended is ended, and that what was cut off is finished. Nothing else may use it.
    pub(crate) fn standing_order(&self) -> Approved {
        Approved::by_confirmation()
    }

    /// Asks one line; Ctrl-C and the end of input answer 130.
    async fn ask(&self, prompt: &str) -> Result<String, Failure> {
        let mut stream = anstream::stderr().lock();
        let written = write!(stream, "{prompt}").and_then(|()| stream.flush());
        drop(written);
        drop(stream);
        let (sender, receiver) = tokio::sync::oneshot::channel();
        // A thread of its own: a blocked read must not hold up the end of the process.
        std::thread::spawn(move || {
            let mut line = String::new();
            let read = std::io::stdin().lock().read_line(&mut line);
            // The receiver is gone after a Ctrl-C; there is nobody left to tell.
            drop(sender.send(read.map(|bytes| (bytes, line))));
        });
        tokio::select! {
            () = self.interrupt.requested() => Err(Failure::interrupted()),
            read = receiver => match read {
                Ok(Ok((bytes, line))) if bytes > 0 => Ok(line.trim().to_owned()),
                _ => Err(Failure::new(Exit::Interrupted, "interrupted", "the prompt was closed; nothing was changed")),
            },
        }
    }
}

/// A progress bar; gone when dropped.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn set(&self, position: u64) {
        self.0.set_position(position);
    }

    pub(crate) fn say(&self, what: &str) {
        self.0.set_message(what.to_owned());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn is_yes(line: &str) -> bool {
    line.eq_ignore_ascii_case("y") || line.eq_ignore_ascii_case("yes")
}

fn is_same(wanted: &str, typed: &str) -> bool {
    wanted.trim().eq_ignore_ascii_case(typed.trim())
}

fn quoted(value: &str) -> String {
    if value.contains(char::is_whitespace) {
        format!("'{value}'")
    } else {
        value.to_owned()
    }
}
