//! `onair new`: a runbook for a new event, from a template or from an earlier event.

use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use serde_json::json;

use crate::context::{self, Context};
use crate::error::{Exit, Failure};
use crate::event::name::EventId;
use crate::event::text::{did_you_mean, printable, shortened};
use crate::event::time::{Anchors, When, local, rfc3339};
use crate::render::{Answer, Sheet};
use crate::report::kept;
use crate::runbook::load::parse;
use crate::runbook::note::Problem;
use crate::runbook::template::{
    NewEvent, PLACEHOLDER_ACCOUNT, PLACEHOLDER_DISTRIBUTION, TEMPLATES, fill, kept, template,
    without_waivers,
};
use crate::runbook::{LoadError, Loaded, load, source};

/// Account and distribution ids of the templates, which are nobody's.
const PLACEHOLDERS: [&str; 2] = [PLACEHOLDER_ACCOUNT, PLACEHOLDER_DISTRIBUTION];

/// Write the runbook of a new event, from a template or an earlier event
///
/// Writes runbooks/EVENT.toml and never overwrites one. Comments come along, and times count from the
/// new start. The earlier event's id is replaced in the names of what onair makes for an event; web ACL,
/// distributions, channels, buckets and paths stay as they are, and are listed. Waivers are not taken
/// over: they stay as comments, beside the lessons of the earlier event's report. Without --template and
/// --from it lists the templates.
///
/// Example: onair new derby --template regional-sports-home-game --starts '2027-03-06 15:00' --zone Europe/London
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The new event's id: lower-case letters, digits and hyphens
    #[arg(value_name = "EVENT")]
    id: EventId,
    /// Template to start from
    #[arg(long, value_name = "TEMPLATE", conflicts_with = "from",
        add = clap_complete::ArgValueCompleter::new(super::complete::templates))]
    template: Option<String>,
    /// Earlier event to start from: its id, or its file
    #[arg(long, value_name = "EARLIER", add = clap_complete::ArgValueCompleter::new(super::complete::events))]
    from: Option<String>,
    /// The event's name for people
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// When it starts: '2027-03-06 15:00' in its zone, 20:30 for the next such time, or RFC 3339
    #[arg(long, value_name = "TIME")]
    starts: Option<String>,
    /// Its time zone, such as Europe/London
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// The AWS account it runs in: 12 digits
    #[arg(long, value_name = "DIGITS")]
    account: Option<String>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Answer, Failure> {
    let folder = context.runbooks();
    let path = folder.join(format!("{}.toml", args.id));
    let earlier = starting_point(args, &folder)?;
    refuse_existing(args, &folder, &path)?;

    let mut text = filled(args, &earlier, context)?;
    if args.from.is_some() {
        text.push_str(&lessons(&earlier, &folder));
    }
    let loaded = parse(&text, &path).map_err(|error| unsound(&error))?;
    let notes = notes(args, &earlier, &text);
    let mut answer = answer(args, &path, &loaded, &notes);
    if loaded.runbook.event.ends < context.world_clock().now() {
        answer.warnings.push(format!(
            "it is over already: it ends at {}",
            local(loaded.runbook.event.ends, &loaded.runbook.event.zone)
        ));
    }
    if context.options.dry_run {
        answer.data["pending"] = json!([{ "path": path.display().to_string() }]);
        answer.text = format!("would write {}:\n\n{text}", path.display());
        return Ok(answer.exiting(
            Exit::Difference,
            "difference",
            "the runbook is not there yet",
        ));
    }
    write_new(&path, &text)?;
    Ok(answer)
}

/// The runbook that the new one is made from.
fn starting_point(args: &Args, folder: &Path) -> Result<Loaded, Failure> {
    match (&args.template, &args.from) {
        (Some(name), _) => {
            let template = template(name).map_err(|error| {
                Failure::new(Exit::Usage, "template.unknown", error).with_data(templates())
            })?;
            let path = folder.join(format!("{}.toml", template.name));
            parse(template.text, &path).map_err(|error| context::invalid(&error))
        }
        (None, Some(earlier)) => {
            let path = earlier_file(earlier, folder)?;
            load(&path).map_err(|error| context::invalid(&error))
        }
        (None, None) => {
            let mut message =
                "choose what to start from: --template TEMPLATE or --from EARLIER; the templates:"
                    .to_owned();
            for template in TEMPLATES {
                message.push_str(&format!("\n  {:<26} {}", template.name, template.summary));
            }
            Err(Failure::usage(message)
                .hint(format!(
                    "onair new {} --template {}",
                    args.id, TEMPLATES[0].name
                ))
                .with_data(templates()))
        }
    }
}

fn templates() -> serde_json::Value {
    let all: Vec<_> = TEMPLATES
        .iter()
        .map(|template| json!({ "template": template.name, "summary": template.summary }))
        .collect();
    json!({ "templates": all })
}

fn earlier_file(earlier: &str, folder: &Path) -> Result<PathBuf, Failure> {
    if earlier.contains('/') || Path::new(earlier).extension().is_some() {
        return Ok(PathBuf::from(earlier));
    }
    let here = source::discover(folder);
    if let Some(path) = source::find(folder, earlier) {
        return Ok(path);
    }
    let nearest = did_you_mean(earlier, here.iter().map(|one| one.id.as_str()));
    let nearest = nearest
        .map(|id| format!("; did you mean `{id}`?"))
        .unwrap_or_default();
    let failure = Failure::new(
        Exit::Usage,
        "event",
        format!(
            "there is no event `{}` in {}/{nearest}",
            printable(earlier),
            folder.display()
        ),
    );
    let ids: Vec<&str> = here.iter().map(|one| one.id.as_str()).collect();
    Err(if ids.is_empty() {
        failure.hint("start from a template: --template TEMPLATE")
    } else {
        failure.hint(format!("events here: {}", printable(&ids.join(", "))))
    })
}

fn refuse_existing(args: &Args, folder: &Path, path: &Path) -> Result<(), Failure> {
    let taken = if path.symlink_metadata().is_ok() {
        Some(path.to_owned())
    } else {
        source::find(folder, args.id.as_str())
    };
    match taken {
        None => Ok(()),
        Some(taken) => Err(exists(&taken, &args.id)),
    }
}

/// What the earlier event's report says to do better, as comments for who writes the new runbook; empty
/// where there is no report.
fn lessons(earlier: &Loaded, folder: &Path) -> String {
    let id = earlier.runbook.event.id.to_string();
    let folders = [
        Path::new(kept::REPORTS).join(&id),
        folder.join(".onair").join("local").join(&id),
    ];
    // A report that cannot be read is no reason not to begin the next event.
    let Some(summary) = kept::find(&folders).and_then(|path| kept::read(&path).ok()) else {
        return String::new();
    };
    if summary.event != id || summary.lessons.is_empty() {
        return String::new();
    }
    let mut text = format!("\n# Lessons of {id}, from its report:\n");
    for lesson in &summary.lessons {
        text.push_str(&format!("# - {}\n", printable(lesson)));
    }
    text
}

fn exists(path: &Path, id: &EventId) -> Failure {
    Failure::refused(
        "runbook.exists",
        format!("{} is there already; nothing was written", path.display()),
    )
    .hint(format!(
        "choose another id, or look at it: onair runbook show -e {id}"
    ))
}

/// The new runbook's text.
fn filled(args: &Args, earlier: &Loaded, context: &Context) -> Result<String, Failure> {
    let event = &earlier.runbook.event;
    let zone = match &args.zone {
        None => event.zone.clone(),
        Some(name) => TimeZone::get(name).map_err(|_| {
            Failure::usage(format!(
                "--zone: `{}` is not an IANA time zone such as Europe/Vienna",
                printable(name)
            ))
        })?,
    };
    let starts = match &args.starts {
        None => None,
        Some(text) => Some(start(text, &zone, context)?),
    };
    let new = NewEvent {
        id: args.id.clone(),
        name: args.name.clone(),
        starts,
        zone: args.zone.clone(),
        account: args.account.clone(),
    };
    let filled = fill(&earlier.text, event, &new);
    Ok(if args.from.is_some() {
        without_waivers(&filled)
    } else {
        filled
    })
}

/// What was not the earlier event's to hand on, or is still called by its id.
fn notes(args: &Args, earlier: &Loaded, text: &str) -> Vec<String> {
    if args.from.is_none() {
        return Vec::new();
    }
    let mut notes: Vec<String> = earlier
        .runbook
        .waivers
        .iter()
        .map(|waiver| {
            format!(
                "{} is not waived: {} accepted it for {} ({})",
                waiver.check,
                printable(&waiver.owner),
                earlier.runbook.event.id,
                printable(&waiver.reason)
            )
        })
        .collect();
    let kept: Vec<String> = kept(text, &earlier.runbook.event.id)
        .into_iter()
        .map(|(path, value)| format!("{path} = {}", shortened(&value, 80)))
        .collect();
    if !kept.is_empty() {
        notes.push(format!("copied as it is: {}", kept.join("; ")));
    }
    notes
}

/// The start as a runbook has it: local where the zone makes it clear, else with its offset.
fn start(text: &str, zone: &TimeZone, context: &Context) -> Result<String, Failure> {
    let wrong = |error: crate::event::time::WhenError| {
        Failure::usage("--starts is not usable").because(error)
    };
    let when = When::parse(text).map_err(wrong)?;
    let anchors = Anchors {
        starts: None,
        ends: None,
        doors: None,
        now: Some(context.world_clock().now()),
        zone,
    };
    let at = when.place(anchors).map_err(wrong)?;
    let civil = at.to_zoned(zone.clone()).datetime();
    let clear = !zone.to_ambiguous_timestamp(civil).is_ambiguous();
    Ok(
        if clear && civil.second() == 0 && civil.subsec_nanosecond() == 0 {
            civil.strftime("%Y-%m-%d %H:%M").to_string()
        } else {
            rfc3339(at, zone)
        },
    )
}

/// The values did not fit; what was meant is the option, not a line of a file that is not there.
fn unsound(error: &LoadError) -> Failure {
    let options = [
        ("aws.account", "--account"),
        ("event.name", "--name"),
        ("event.zone", "--zone"),
        ("event.starts", "--starts"),
    ];
    let note = error.notes().iter().find_map(|note| {
        let (_, option) = options.iter().find(|(path, _)| *path == note.path)?;
        Some(match note.problem {
            Problem::Account => Failure::usage("--account: an account is 12 digits"),
            ref problem => Failure::usage(format!("{option}: {problem}")),
        })
    });
    note.unwrap_or_else(|| {
        let mut failure = context::invalid(error);
        failure.message.insert_str(0, "nothing was written: ");
        failure
    })
}

/// Writes a file that must not be there yet; a reader never sees half of it.
fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let failed = |error: &dyn std::error::Error| {
        Failure::failed("runbook.write", format!("write {}", path.display()))
            .caused_by(error)
            .hint(format!(
                "make {}/ writable, or run this in another folder",
                folder.display()
            ))
    };
    std::fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".new-").suffix(".part");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Like any file that an editor makes; the umask takes its part.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder
        .tempfile_in(folder)
        .map_err(|error| failed(&error))?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.as_file().sync_all())
        .map_err(|error| failed(&error))?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(Failure::refused(
                "runbook.exists",
                format!("{} is there already; nothing was written", path.display()),
            ))
        }
        Err(error) => Err(failed(&error.error)),
    }
}

fn answer(args: &Args, path: &Path, loaded: &Loaded, notes: &[String]) -> Answer {
    let runbook = &loaded.runbook;
    let event = &runbook.event;
    let shown = path.display().to_string();
    let starts = local(event.starts, &event.zone);
    let mut steps = Vec::new();
    if args.starts.is_none() {
        steps.push(format!(
            "set event.starts in {shown}: it is {starts}, as in what it was made from"
        ));
    }
    let left: Vec<&str> = [("aws.account", runbook.aws.account.as_str())]
        .into_iter()
        .chain(
            runbook
                .distributions
                .iter()
                .map(|one| ("distributions.id", one.id.as_str())),
        )
        .filter(|(_, value)| {
            PLACEHOLDERS
                .iter()
                .any(|placeholder| value.starts_with(placeholder))
        })
        .map(|(key, _)| key)
        .collect();
    if !left.is_empty() {
        let mut left = left;
        left.dedup();
        steps.push(format!(
            "put your own values for {} in {shown}",
            left.join(" and ")
        ));
    }
    steps.push(format!("onair runbook check {shown}"));
    steps.push(format!("onair rehearse {shown}"));
    steps.push(format!("onair -e {} status", event.id));

    let mut text = format!(
        "✓ written: {shown} · {} · starts {starts}\nnext:\n",
        printable(&event.name)
    );
    let mut sheet = Sheet::new(&["event", "path", "starts"]);
    sheet.push([
        event.id.to_string(),
        shown.clone(),
        rfc3339(event.starts, &event.zone),
    ]);
    for (index, step) in steps.iter().enumerate() {
        text.push_str(&format!("  {}. {step}\n", index + 1));
    }
    for note in notes {
        text.push_str(&format!("note: {note}\n"));
    }
    let data = json!({
        "path": shown,
        "name": event.name,
        "starts": rfc3339(event.starts, &event.zone),
        "template": args.template,
        "from": args.from,
        "next": steps,
        "notes": notes,
    });
    let mut answer = Answer::new("new", data, text).with_sheet(sheet);
    answer.head.event = Some(event.id.to_string());
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_there_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/gala.toml");
        write_new(&path, "first").unwrap();
        let failure = write_new(&path, "second").unwrap_err();
        assert_eq!(
            (failure.exit, failure.code.as_str()),
            (Exit::Refused, "runbook.exists")
        );
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "first");
        let files = std::fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(files, 1, "nothing half-written stays behind");
    }

    #[test]
    fn an_earlier_event_is_an_id_or_a_file() {
        let folder = Path::new("runbooks");
        assert_eq!(
            earlier_file("../old/cup.toml", folder).unwrap(),
            Path::new("../old/cup.toml")
        );
        let failure = earlier_file("cup-fnal", folder).unwrap_err();
        assert!(
            failure.message.contains("did you mean `cup-final`?"),
            "{failure}"
        );
    }
}
