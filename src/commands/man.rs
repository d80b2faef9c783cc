//! `onair man`: the help as manual pages.

use std::path::{Path, PathBuf};

use clap::CommandFactory;
use clap_mangen::Man;
use serde_json::json;

use crate::cli::Cli;
use crate::error::{Exit, Failure};
use crate::event::text::{did_you_mean, printable};
use crate::render::{Answer, Sheet};

/// Print a manual page, or write them all to a folder
///
/// Example: onair man ip block | man -l -
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The command whose page to print, such as ip block; without one, onair's own
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
    /// Write every page to this folder, such as ~/.local/share/man/man1
    #[arg(long, value_name = "FOLDER", conflicts_with = "command")]
    out: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<Answer, Failure> {
    match &args.out {
        Some(folder) => write_all(folder),
        None => print_page(&args.command),
    }
}

/// The whole command line, with the names that pages go by.
fn root() -> clap::Command {
    let mut root = Cli::command().disable_help_subcommand(true);
    root.build();
    root
}

fn print_page(path: &[String]) -> Result<Answer, Failure> {
    let mut command = root();
    for word in path {
        let names: Vec<String> = visible(&command)
            .map(|one| one.get_name().to_owned())
            .collect();
        let Some(found) = visible(&command)
            .find(|one| one.get_name() == word)
            .cloned()
        else {
            let nearest = did_you_mean(word, names.iter().map(String::as_str));
            let nearest = nearest
                .map(|name| format!("; did you mean `{name}`?"))
                .unwrap_or_default();
            let display = display_name(&command).replace('-', " ");
            let failure = Failure::new(
                Exit::Usage,
                "usage",
                format!("{display} has no command `{}`{nearest}", printable(word)),
            );
            return Err(if names.is_empty() {
                failure.hint(format!("{display} --help"))
            } else {
                failure.hint(format!("it has: {}", names.join(", ")))
            });
        };
        command = found;
    }
    let name = display_name(&command);
    let page = render(command)?;
    let data = json!({ "page": format!("{name}.1"), "roff": page });
    Ok(Answer::new("man", data, page))
}

fn write_all(folder: &Path) -> Result<Answer, Failure> {
    let failed = |path: &Path, error: &dyn std::error::Error| {
        Failure::failed("man.write", format!("write {}", path.display())).caused_by(error)
    };
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    let mut commands = Vec::new();
    collect(root(), &mut commands);
    let mut sheet = Sheet::new(&["page"]);
    let mut pages = Vec::new();
    for command in commands {
        let path = folder.join(format!("{}.1", display_name(&command)));
        std::fs::write(&path, render(command)?).map_err(|error| failed(&path, &error))?;
        sheet.push([path.display().to_string()]);
        pages.push(json!({ "path": path.display().to_string() }));
    }
    let text = format!(
        "✓ {} manual pages written to {}\n",
        pages.len(),
        folder.display()
    );
    Ok(Answer::new("man", json!({ "pages": pages }), text).with_sheet(sheet))
}

/// A command and all below it.
fn collect(command: clap::Command, all: &mut Vec<clap::Command>) {
    let below: Vec<clap::Command> = visible(&command).cloned().collect();
    all.push(command);
    for one in below {
        collect(one, all);
    }
}

fn visible(command: &clap::Command) -> impl Iterator<Item = &clap::Command> {
    command.get_subcommands().filter(|one| !one.is_hide_set())
}

fn display_name(command: &clap::Command) -> String {
    command
        .get_display_name()
        .unwrap_or_else(|| command.get_name())
        .to_owned()
}

fn render(command: clap::Command) -> Result<String, Failure> {
    let mut page = Vec::new();
    Man::new(command)
        .manual("onair")
        .source(concat!("onair ", env!("CARGO_PKG_VERSION")))
        .render(&mut page)
        .map_err(|error| Failure::failed("man.write", "make the manual page").caused_by(&error))?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(path: &[&str]) -> Result<Answer, Failure> {
        let path: Vec<String> = path.iter().map(|word| (*word).to_owned()).collect();
        print_page(&path)
    }

    #[test]
    fn every_command_has_a_page_with_its_example() {
        let mut commands = Vec::new();
        collect(root(), &mut commands);
        assert!(commands.len() > 25);
        for command in commands {
            let name = display_name(&command);
            let leaf = visible(&command).next().is_none();
            let page = render(command).unwrap();
            assert!(page.contains(".SH NAME"), "{name}");
            assert!(!leaf || page.contains("Example"), "{name} has no example");
        }
    }

    #[test]
    fn a_mistyped_command_is_answered_with_the_nearest() {
        assert!(
            page(&["ip", "block"])
                .unwrap()
                .text
                .contains("onair\\-ip\\-block")
        );
        let failure = page(&["ip", "blok"]).unwrap_err();
        assert_eq!(
            failure.message,
            "onair ip has no command `blok`; did you mean `block`?"
        );
        assert_eq!(
            page(&["undo", "x"]).unwrap_err().hints,
            ["onair undo --help"]
        );
    }
}
