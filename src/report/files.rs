//! The report's folder: made beside its place and put there whole, so that nobody ever sees half of
//! one, and never over something that is not a report.

use std::io;
use std::path::{Path, PathBuf};

use super::model::Report;
use super::table::Table;
use super::{html, markdown};

/// The files of a report besides its tables.
const FILES: [&str; 4] = ["index.html", "report.json", "report.md", "summary.json"];
const TABLES: &str = "tables";

/// Why a report could not be put into its place.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlaceError {
    #[error("{path} is there and is no report: it holds {found}")]
    Foreign { path: String, found: String },
    #[error("{path} could not be written")]
    Write {
        path: String,
        #[source]
        source: io::Error,
    },
}

/// What is in the way of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InTheWay {
    /// A folder that is no report is an error.
    Refuse,
    /// It is renamed: `DIR.1`, or the next number that is free.
    MoveAside,
}

/// Everything that a report's folder holds: names and contents.
pub(crate) fn files(report: &Report) -> Vec<(String, String)> {
    let mut files = vec![
        (FILES[0].to_owned(), html::page(report)),
        (FILES[1].to_owned(), json(report)),
        (FILES[2].to_owned(), markdown::page(report)),
        (FILES[3].to_owned(), json(&report.summary)),
    ];
    // An empty file would look like none, where it is not known whether there were any.
    let known = |table: &&Table| table.unknown.is_none() || !table.rows.is_empty();
    for table in report.tables.iter().filter(known) {
        files.push((
            format!("{TABLES}/{}.csv", file_name(&table.name)),
            table.sheet().csv(),
        ));
    }
    files.push((
        format!("{TABLES}/timeline.csv"),
        super::sections::timeline_sheet(report).csv(),
    ));
    files.push((
        format!("{TABLES}/summary.csv"),
        super::sections::summary_sheet(report).csv(),
    ));
    files
}

fn json(value: &impl serde::Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("reports have text keys only");
    text.push('\n');
    text
}

/// Names of queries are kebab-case; a runbook's own could be anything.
fn file_name(name: &str) -> String {
    name.chars()
        .map(|one| {
            if one.is_ascii_alphanumeric() || one == '-' {
                one
            } else {
                '_'
            }
        })
        .collect()
}

/// Writes the files to a folder beside `place` and renames it. An earlier report there is replaced.
pub(crate) fn place(
    place: &Path,
    files: &[(String, String)],
    in_the_way: InTheWay,
) -> Result<(), PlaceError> {
    let write = |path: &Path| {
        let path = path.display().to_string();
        move |source| PlaceError::Write { path, source }
    };
    let parent = match place.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    std::fs::create_dir_all(&parent).map_err(write(&parent))?;
    let existing = look(place)?;
    if let (Existing::Foreign(found), InTheWay::Refuse) = (&existing, in_the_way) {
        return Err(PlaceError::Foreign {
            path: place.display().to_string(),
            found: found.clone(),
        });
    }
    let made = tempfile::Builder::new()
        .prefix(".onair-report-")
        .tempdir_in(&parent)
        .map_err(write(&parent))?;
    let new = made.path().join("new");
    std::fs::create_dir_all(new.join(TABLES)).map_err(write(&new))?;
    for (name, content) in files {
        std::fs::write(new.join(name), content).map_err(write(&place.join(name)))?;
    }
    match existing {
        Existing::Nothing => {}
        // It goes with the folder in which the new one was made.
        Existing::Report => {
            std::fs::rename(place, made.path().join("old")).map_err(write(place))?;
        }
        Existing::Foreign(_) => {
            std::fs::rename(place, aside(place)).map_err(write(place))?;
        }
    }
    if let Err(source) = std::fs::rename(&new, place) {
        // The old one comes back rather than none; if even that fails, the error names the place.
        let _kept = std::fs::rename(made.path().join("old"), place);
        return Err(write(place)(source));
    }
    Ok(())
}

/// Refuses before the work is done what would be refused after it.
pub(crate) fn check(place: &Path) -> Result<(), PlaceError> {
    match look(place)? {
        Existing::Foreign(found) => Err(PlaceError::Foreign {
            path: place.display().to_string(),
            found,
        }),
        Existing::Nothing | Existing::Report => Ok(()),
    }
}

/// What is where the report goes.
enum Existing {
    /// Nothing, or an empty folder.
    Nothing,
    /// A report, and nothing else.
    Report,
    /// Something else, such as this.
    Foreign(String),
}

fn look(place: &Path) -> Result<Existing, PlaceError> {
    let failed = |source| PlaceError::Write {
        path: place.display().to_string(),
        source,
    };
    let entries = match std::fs::read_dir(place) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Existing::Nothing),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Ok(Existing::Foreign("a file of that name".to_owned()));
        }
        Err(error) => return Err(failed(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(
            entry
                .map_err(failed)?
                .file_name()
                .to_string_lossy()
                .into_owned(),
        );
    }
    names.sort();
    if names.is_empty() {
        // Renaming a folder over an empty one works on Unix.
        return Ok(Existing::Nothing);
    }
    let strange = names
        .iter()
        .find(|name| !FILES.contains(&name.as_str()) && *name != TABLES);
    if let Some(strange) = strange {
        return Ok(Existing::Foreign(strange.clone()));
    }
    let json = std::fs::read(place.join("report.json")).unwrap_or_default();
    let is_report = serde_json::from_slice::<serde_json::Value>(&json).is_ok_and(|value| {
        value["schema"]
            .as_str()
            .is_some_and(|schema| schema.starts_with("onair-report/"))
    });
    if !is_report {
        return Ok(Existing::Foreign(names.remove(0)));
    }
    let tables = std::fs::read_dir(place.join(TABLES)).into_iter().flatten();
    let strange = tables
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .find(|name| Path::new(name).extension().is_none_or(|end| end != "csv"));
    Ok(strange.map_or(Existing::Report, |name| {
        Existing::Foreign(format!("{TABLES}/{name}"))
    }))
}

/// The first free `DIR.N`.
fn aside(place: &Path) -> PathBuf {
    (1..=u32::MAX)
        .map(|number| {
            let mut name = place.as_os_str().to_owned();
            name.push(format!(".{number}"));
            PathBuf::from(name)
        })
        .find(|path| !path.exists())
        .expect("some number is free")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(text: &str) -> Vec<(String, String)> {
        vec![
            ("index.html".to_owned(), text.to_owned()),
            (
                "report.json".to_owned(),
                "{\"schema\":\"onair-report/1\"}".to_owned(),
            ),
            ("tables/a.csv".to_owned(), "a\r\n".to_owned()),
        ]
    }

    #[test]
    fn an_earlier_report_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("reports/cup");
        place(&out, &report("one"), InTheWay::Refuse).unwrap();
        let mut again = report("two");
        again.pop();
        place(&out, &again, InTheWay::Refuse).unwrap();
        assert_eq!(
            std::fs::read_to_string(out.join("index.html")).unwrap(),
            "two"
        );
        assert!(!out.join("tables/a.csv").exists());
        let left: Vec<_> = std::fs::read_dir(out.parent().unwrap()).unwrap().collect();
        assert_eq!(left.len(), 1, "nothing half is left beside it");
    }

    #[test]
    fn what_is_no_report_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        for strange in ["notes.txt", "report.json", "tables/mine.txt"] {
            let out = folder.path().join("x");
            if strange.starts_with("tables") {
                place(&out, &report("one"), InTheWay::Refuse).unwrap();
            } else {
                std::fs::create_dir_all(&out).unwrap();
            }
            std::fs::write(out.join(strange), "mine").unwrap();
            let refused = place(&out, &report("two"), InTheWay::Refuse).unwrap_err();
            assert!(matches!(refused, PlaceError::Foreign { .. }), "{refused}");
            assert!(check(&out).is_err());
            place(&out, &report("two"), InTheWay::MoveAside).unwrap();
            let aside = folder.path().join("x.1");
            assert_eq!(
                std::fs::read_to_string(aside.join(strange)).unwrap(),
                "mine"
            );
            std::fs::remove_dir_all(aside).unwrap();
            std::fs::remove_dir_all(out).unwrap();
        }
        let file = folder.path().join("file");
        std::fs::write(&file, "mine").unwrap();
        assert!(place(&file, &report("two"), InTheWay::Refuse).is_err());
    }
}
