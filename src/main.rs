//! onair runs a live-streaming event on Amazon `CloudFront`.
//!
//! `main` parses the command line, builds the context, runs the command, prints its one value and
//! ends the process. Everything else is in the modules below; ARCHITECTURE.md has the map.

mod apply;
mod canary;
mod cli;
mod clock;
mod cloud;
mod commands;
mod compare;
mod context;
mod dashboard;
mod edge;
mod error;
mod event;
mod layers;
mod ledger;
mod observe;
mod permissions;
mod plan;
mod playback;
mod preflight;
mod prove;
mod provision;
mod query;
mod render;
mod report;
mod runbook;
mod sandbox;
mod token;
mod ui;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use cli::{Cli, ColorChoice, Output};
use context::{Context, Environment};
use error::{Exit, Failure};
use render::{Answer, Head};
use ui::{Answers, Color, Interrupt, Ui};

fn main() -> ExitCode {
    clap_complete::CompleteEnv::with_factory(Cli::command).complete();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime needs nothing that could be missing");
    let code = runtime.block_on(run(cli));
    // A thread that still waits at a prompt must not hold up the end.
    runtime.shutdown_background();
    ExitCode::from(code.code())
}

/// Answers a command line that could not be parsed; with `-o json` as JSON, too.
fn usage(error: &clap::Error) -> ExitCode {
    use clap::error::ErrorKind;
    let informs = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    let ui = Ui::new(false, false, Color::Auto, Interrupt::default());
    if informs {
        ui.answer(&error.render().ansi().to_string());
        return ExitCode::from(whole(&ui, Exit::Done).code());
    }
    if wants_json(std::env::args()) {
        let text = error.render().to_string();
        // What is missing stands in the lines below the first.
        let lines = text.lines().take_while(|line| !line.trim().is_empty());
        let message = lines.map(str::trim).collect::<Vec<_>>().join(" ");
        let message = message.trim_start_matches("error: ");
        let failure = Failure::usage(message).hint("onair --help");
        ui.answer(&render::failure_json("", &Head::default(), &failure, &[]));
    } else {
        ui.error_text(&error.render().ansi().to_string());
    }
    ExitCode::from(Exit::Usage.code())
}

fn wants_json(arguments: impl Iterator<Item = String>) -> bool {
    let arguments: Vec<String> = arguments.collect();
    arguments
        .windows(2)
        .any(|pair| matches!(pair[0].as_str(), "-o" | "--output") && pair[1] == "json")
        || arguments
            .iter()
            .any(|one| matches!(one.as_str(), "-ojson" | "-o=json" | "--output=json"))
}

async fn run(cli: Cli) -> Exit {
    let environment = Environment::of_process();
    let global = cli.global;
    let interrupt = Interrupt::default();
    let color = match global.color {
        ColorChoice::Auto => Color::Auto,
        ColorChoice::Always => Color::Always,
        ColorChoice::Never => Color::Never,
    };
    let ui = Ui::new(
        global.quiet,
        global.output == Output::Json,
        color,
        interrupt.clone(),
    );
    let global_verbose = global.verbose;
    ui.start_logging(global_verbose);
    let output = global.output;
    let name = commands::name(&cli.command);
    let context = Context::new(ui.clone(), environment, global);
    let heard = interrupt.clone();
    let talk = ui.clone();
    let listen = async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            if heard.request() {
                if heard.is_writing() {
                    talk.say(
                        "interrupted: finishing the step in hand; Ctrl-C again leaves at once",
                    );
                }
            } else {
                return;
            }
        }
        std::future::pending::<()>().await;
    };
    let result = tokio::select! {
        biased;
        // The second Ctrl-C: leave now. The intent is in the ledger; resume finds out the rest.
        () = listen => Err(Failure::new(Exit::Interrupted, "interrupted", "left at once; a change may be under way")
            .hint("`onair ledger resume` finds out and finishes it")),
        () = interrupt.stops_at_once() => Err(Failure::interrupted()),
        result = commands::run(&cli.command, &context) => result,
    };
    if global_verbose > 0 {
        let calls = context.calls();
        let total: u32 = calls.values().sum();
        let each: Vec<String> = calls
            .iter()
            .map(|(operation, count)| format!("{operation} {count}"))
            .collect();
        ui.say(&format!("AWS calls: {total} ({})", each.join(", ")));
    }
    let exit = match result {
        Ok(answer) => print(&ui, &answer, output),
        Err(failure) => print_failure(&ui, name, &context.head(), &failure, output),
    };
    whole(&ui, exit)
}

/// An answer that did not get out whole is no success, whatever the command did.
fn whole(ui: &Ui, exit: Exit) -> Exit {
    let Some(error) = ui.lost() else {
        return exit;
    };
    let failure = Failure::failed("output.lost", "the answer could not be written whole")
        .because(error)
        .hint("what the command did is done; `onair ledger list` has every change");
    ui.fail(&failure);
    if exit == Exit::Done {
        failure.exit
    } else {
        exit
    }
}

fn print(ui: &Ui, answer: &Answer, output: Output) -> Exit {
    match output {
        Output::Json if answer.streamed => {}
        Output::Json => ui.answer(&render::json(answer)),
        Output::Csv => ui.answer_raw(answer.sheet.csv().as_bytes()),
        Output::Markdown => match &answer.markdown {
            Some(page) => ui.answer(page),
            None => ui.answer(&answer.sheet.markdown()),
        },
        Output::Table => ui.answer(&answer.text),
    }
    if output != Output::Json {
        let told = |warning: &&String| output == Output::Table && answer.text.contains(*warning);
        for warning in answer.warnings.iter().filter(|warning| !told(warning)) {
            ui.warn(warning);
        }
        if let Some((_, message)) = answer
            .error
            .as_ref()
            .filter(|_| answer.exit != Exit::Difference)
        {
            let mut failure = Failure::failed("", message);
            failure.hints.clone_from(&answer.hints);
            ui.fail(&failure);
        }
    }
    answer.exit
}

fn print_failure(ui: &Ui, command: &str, head: &Head, failure: &Failure, output: Output) -> Exit {
    match output {
        Output::Json => ui.answer(&render::failure_json(command, head, failure, &[])),
        Output::Table | Output::Csv | Output::Markdown => {
            if let Some(text) = &failure.text {
                ui.say(text.trim_end());
            }
            ui.fail(failure);
        }
    }
    failure.exit
}

impl Context {
    fn new(ui: Ui, environment: Environment, global: cli::Global) -> Self {
        use plan::guard::Override;
        let flag = |yes: bool, no: bool| match (yes, no) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            (false, false) => None,
        };
        let overrides = [
            (global.allow_never_block, Override::NeverBlock),
            (global.allow_own_address, Override::OwnAddress),
            (global.allow_cloudfront_range, Override::CloudFrontRange),
            (global.allow_wide_prefix, Override::WidePrefix),
            (global.allow_audience, Override::Audience),
            (global.break_glass, Override::BreakGlass),
        ];
        let options = context::Options {
            runbook: global.runbook,
            event: global.event,
            rehearsal: global.rehearsal,
            endpoint_url: global.endpoint_url,
            profile: global.profile,
            dry_run: global.dry_run,
            answers: Answers {
                yes: global.yes,
                confirm: global.confirm,
            },
            lasting: global.lasting,
            until: global.until,
            reason: global.reason,
            wait: flag(global.wait, global.no_wait),
            verify: flag(global.verify, global.no_verify),
            timeout: global.timeout,
            overrides: overrides
                .into_iter()
                .filter_map(|(given, one)| given.then_some(one))
                .collect(),
            now: global.now,
        };
        Self::with(ui, environment, options)
    }
}
