//! What is read from the cache is what would be read from the objects.

use std::fs;
use std::path::PathBuf;

use super::*;

const QUERY: &str =
    "SELECT at, c_ip, sc_bytes, cs_uri_query, is_hit FROM requests ORDER BY sc_bytes";

fn entries(desk: &Desk) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = fs::read_dir(desk.path("cache"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "parquet")
        })
        .collect();
    entries.sort();
    entries
}

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("a.gz", &lines(0..9000));
    let mut broken = lines(9000..9100);
    broken.push("no row".to_owned());
    desk.write("b.gz", &broken);
    desk
}

#[test]
fn a_second_query_reads_the_cache_and_gives_the_same() {
    let desk = desk();
    let plain = run(&desk.engine(desk.settings()), QUERY).unwrap();
    let first = run(&desk.engine(desk.cached()), QUERY).unwrap();
    assert_eq!(first.read.cached, 0);
    // Another engine on the same folder, as another process would be.
    let second = run(&desk.engine(desk.cached()), QUERY).unwrap();
    assert_eq!(second.read.cached, 2);
    assert_eq!(first.rows, plain.rows);
    assert_eq!(second.rows, plain.rows);
    assert_eq!(second.read.objects, first.read.objects);
    assert_eq!(second.read.bad(), 1);
    let fewer = run(&desk.engine(desk.cached()), "SELECT count(*) FROM requests").unwrap();
    assert_eq!(
        (fewer.read.cached, &fewer.rows[0]),
        (2, &vec![integer(9100)])
    );
}

#[test]
fn a_query_that_needs_more_columns_widens_the_entry() {
    let desk = desk();
    let engine = desk.engine(desk.cached());
    run(&engine, QUERY).unwrap();
    let more = run(
        &engine,
        "SELECT count(DISTINCT x_edge_location) FROM requests",
    )
    .unwrap();
    assert_eq!((more.read.cached, &more.rows), (0, &vec![vec![integer(2)]]));
    assert_eq!(entries(&desk).len(), 2, "the old entries are gone");
    let both = run(
        &engine,
        "SELECT count(x_edge_location), count(c_ip) FROM requests",
    )
    .unwrap();
    assert_eq!(both.read.cached, 2);
}

#[test]
fn an_entry_serves_windows_inside_of_its_own_alone() {
    let desk = desk();
    let windows = [
        (
            Some(("2026-06-14T17:10:00", "2026-06-14T17:20:00")),
            0,
            1520,
        ),
        (Some(("2026-06-14T17:12:00", "2026-06-14T17:13:00")), 2, 152),
        (
            Some(("2026-06-14T17:12:00", "2026-06-14T17:21:00")),
            0,
            1368,
        ),
        (None, 0, 9100),
        (Some(("2026-06-14T17:00:00", "2026-06-14T17:01:00")), 2, 152),
    ];
    for (window, cached, count) in windows {
        let plain = run(&desk.engine_of(desk.settings(), window), QUERY).unwrap();
        let ran = run(&desk.engine_of(desk.cached(), window), QUERY).unwrap();
        assert_eq!(ran.rows, plain.rows, "{window:?}");
        assert_eq!(ran.read.objects, plain.read.objects, "{window:?}");
        assert_eq!(
            (ran.read.cached, ran.rows.len()),
            (cached, count),
            "{window:?}"
        );
    }
}

#[test]
fn a_changed_object_is_read_again() {
    let desk = desk();
    run(&desk.engine(desk.cached()), QUERY).unwrap();
    desk.write("b.gz", &lines(0..7));
    let ran = run(&desk.engine(desk.cached()), QUERY).unwrap();
    assert_eq!((ran.read.cached, ran.rows.len()), (1, 9007));
}

#[test]
fn a_damaged_entry_is_dropped_and_made_again() {
    let desk = desk();
    let engine = desk.engine(desk.cached());
    let first = run(&engine, QUERY).unwrap();
    for entry in entries(&desk) {
        let mut bytes = fs::read(&entry).unwrap();
        let middle = bytes.len() / 3;
        bytes[middle] ^= 0x55;
        fs::write(&entry, bytes).unwrap();
    }
    let again = run(&engine, QUERY).unwrap();
    assert_eq!((again.read.cached, &again.rows), (0, &first.rows));
    for entry in entries(&desk) {
        let bytes = fs::read(&entry).unwrap();
        fs::write(&entry, &bytes[..bytes.len() / 2]).unwrap();
    }
    let again = run(&engine, QUERY).unwrap();
    assert_eq!((again.read.cached, &again.rows), (0, &first.rows));
    let last = run(&engine, QUERY).unwrap();
    assert_eq!((last.read.cached, &last.rows), (2, &first.rows));
}

#[test]
fn what_was_not_used_for_longest_goes_first() {
    let desk = Desk::new();
    for number in 0..4 {
        desk.write(
            &format!("{number}.gz"),
            &lines(number * 1000..number * 1000 + 1000),
        );
    }
    run(&desk.engine(desk.cached()), QUERY).unwrap();
    let size = desk.engine(desk.cached()).cache().unwrap().size().unwrap();
    assert_eq!(size.entries, 4);
    let small = Settings {
        cache_limit: size.bytes / 2 + 1,
        ..desk.cached()
    };
    desk.write("4.gz", &lines(0..10));
    let engine = desk.engine(small);
    let ran = run(&engine, QUERY).unwrap();
    assert_eq!(ran.read.cached, 4);
    let left = engine.cache().unwrap().size().unwrap();
    assert!(left.bytes <= size.bytes / 2 + 1, "{left:?}");
    assert!(left.entries >= 1);
    let cleared = engine.cache().unwrap().clear().unwrap();
    assert_eq!(cleared, left);
    assert_eq!(fs::read_dir(desk.path("cache")).unwrap().count(), 0);
}

#[test]
fn columns_read_ahead_are_read_once() {
    let desk = desk();
    let engine = desk.engine(desk.settings());
    let read = waited(engine.warm("requests", &["at", "c_ip", "sc_bytes"])).unwrap();
    assert_eq!((read.rows(), read.bad(), read.cached), (9100, 1, 0));
    let ran = run(
        &engine,
        "SELECT c_ip, sum(sc_bytes) FROM requests GROUP BY c_ip",
    )
    .unwrap();
    assert_eq!(ran.read.cached, 2);
    let other = run(&engine, "SELECT count(cs_uri_stem) FROM requests").unwrap();
    assert_eq!(
        other.read.cached, 0,
        "a session's own folder is not filled by queries"
    );
    let error = waited(engine.warm("requests", &["c_ipp"])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no column \"c_ipp\"; did you mean \"c_ip\"?"
    );
    drop(engine);
    let left = fs::read_dir(desk.path("spill")).unwrap().count();
    assert_eq!(left, 0, "the session's folder goes with it");
}

#[test]
fn a_table_that_is_named_twice_is_read_once() {
    let desk = desk();
    let engine = desk.engine(desk.settings());
    let ran = run(
        &engine,
        "WITH all_of_it AS (SELECT count(*) AS n FROM requests) \
         SELECT x_edge_location, count(*) * 100 / max(n) FROM requests, all_of_it \
         GROUP BY x_edge_location ORDER BY x_edge_location",
    )
    .unwrap();
    assert_eq!(ran.read.cached, 2);
    assert_eq!(ran.read.rows(), 9100);
    assert_eq!(ran.rows.len(), 3);
}

#[test]
fn two_engines_fill_one_cache_at_once() {
    let desk = Desk::new();
    for number in 0..6 {
        desk.write(
            &format!("{number}.gz"),
            &lines(number * 500..number * 500 + 500),
        );
    }
    let expected = rows(&desk.engine(desk.settings()), QUERY);
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..2)
            .map(|_| scope.spawn(|| rows(&desk.engine(desk.cached()), QUERY)))
            .collect();
        for run in running {
            assert_eq!(run.join().unwrap(), expected);
        }
    });
    let ran = run(&desk.engine(desk.cached()), QUERY).unwrap();
    assert_eq!((ran.read.cached, &ran.rows), (6, &expected));
}
