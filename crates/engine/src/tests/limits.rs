//! Memory, stopping, and what must not get out of hand.

use std::io::{self, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use jiff::Timestamp;

use super::*;
use crate::{Object, Objects};

/// Groups of more than a small pool holds.
const MANY: &str = "SELECT c_ip, cs_uri_stem, count(*) AS n, sum(sc_bytes) AS b FROM requests \
                    GROUP BY 1, 2 ORDER BY 2, 1 LIMIT 50";

#[test]
fn a_small_pool_spills_and_gives_the_same_rows() {
    let desk = Desk::new();
    for number in 0..4 {
        desk.write(
            &format!("{number}.gz"),
            &lines(number * 50_000..number * 50_000 + 50_000),
        );
    }
    let expected = rows(&desk.engine(desk.settings()), MANY);
    let small = Settings {
        memory: 24 << 20,
        ..desk.settings()
    };
    let engine = desk.engine(small);
    assert_eq!(rows(&engine, MANY), expected);
    let left = engine.context().runtime_env().spilling_progress();
    assert_eq!(left.current_bytes, 0, "what was spilled is gone");
}

#[test]
fn a_result_beyond_memory_is_refused() {
    let desk = Desk::new();
    desk.write("a.gz", &lines(0..60_000));
    let engine = desk.engine(Settings {
        memory: 8 << 20,
        ..desk.settings()
    });
    let error = run(&engine, "SELECT * FROM requests").unwrap_err();
    assert!(
        matches!(error, EngineError::Memory { limit: 8 }),
        "{error:?}"
    );
    assert_eq!(
        rows(&engine, "SELECT count(*) FROM requests"),
        [[integer(60_000)]]
    );
}

/// An object that goes on for ever, and counts how far it was read.
#[derive(Debug, Clone, Default)]
struct Endless {
    read: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
}

impl Objects for Endless {
    fn list(&self) -> io::Result<Vec<Object>> {
        Ok((0..4)
            .map(|number| Object {
                name: format!("{number}.log"),
                size: 1,
                modified: Timestamp::UNIX_EPOCH,
            })
            .collect())
    }

    fn open(&self, _: &str) -> io::Result<Box<dyn Read + Send>> {
        self.open.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(Stream {
            place: self.clone(),
            text: format!("#Fields: {FIELDS}\n{}\n", lines(0..500).join("\n")).into_bytes(),
            at: 0,
        }))
    }
}

struct Stream {
    place: Endless,
    text: Vec<u8>,
    at: usize,
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.place.read.fetch_add(1, Ordering::SeqCst);
        let length = buffer.len().min(self.text.len() - self.at);
        buffer[..length].copy_from_slice(&self.text[self.at..self.at + length]);
        self.at = (self.at + length) % self.text.len();
        Ok(length)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.place.open.fetch_sub(1, Ordering::SeqCst);
    }
}

#[test]
fn a_dropped_query_stops_reading() {
    // The second table has no row in its window, so that its readers never come to hand one over.
    let nothing = Some((
        "2001-01-01T00:00:00".parse().unwrap(),
        "2001-01-02T00:00:00".parse().unwrap(),
    ));
    for window in [None, nothing] {
        let desk = Desk::new();
        let engine = Engine::new(desk.settings()).unwrap();
        let place = Endless::default();
        engine
            .add_logs(
                "requests",
                Logs {
                    table: Table::Requests,
                    objects: Arc::new(place.clone()),
                    window,
                    fields: vec![],
                },
            )
            .unwrap();
        let mut query = Box::pin(engine.run("SELECT count(*) FROM requests", &[]));
        let mut context = Context::from_waker(Waker::noop());
        while place.read.load(Ordering::SeqCst) < 50 {
            assert!(matches!(query.as_mut().poll(&mut context), Poll::Pending));
            std::thread::yield_now();
        }
        drop(query);
        while place.open.load(Ordering::SeqCst) > 0 {
            std::thread::yield_now();
        }
    }
}

#[test]
fn a_place_that_panics_is_an_error() {
    #[derive(Debug)]
    struct Panics;
    impl Objects for Panics {
        fn list(&self) -> io::Result<Vec<Object>> {
            Endless::default().list()
        }
        fn open(&self, _: &str) -> io::Result<Box<dyn Read + Send>> {
            panic!("a fault of the place")
        }
    }
    let desk = Desk::new();
    let engine = Engine::new(desk.settings()).unwrap();
    let table = Logs {
        table: Table::Requests,
        objects: Arc::new(Panics),
        window: None,
        fields: vec![],
    };
    engine.add_logs("requests", table).unwrap();
    let error = run(&engine, "SELECT count(*) FROM requests").unwrap_err();
    assert!(
        matches!(&error, EngineError::Internal(words) if words.contains("a fault of the place")),
        "{error:?}"
    );
}

#[test]
fn files_beside_the_tables_cannot_be_read() {
    let desk = Desk::new();
    desk.write("a.gz", &lines(0..1));
    fs::write(desk.path("secret.csv"), "a,b\n1,2\n").unwrap();
    let engine = desk.engine(desk.settings());
    let path = desk.path("secret.csv");
    let path = path.to_str().unwrap();
    for text in [
        format!("SELECT * FROM '{path}'"),
        format!("SELECT * FROM \"{path}\""),
        format!("SELECT * FROM read_csv('{path}')"),
        format!("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '{path}'"),
        format!("COPY (SELECT 1) TO '{path}'"),
        "SELECT 1; SELECT 2".to_owned(),
        "SET datafusion.execution.batch_size = 1".to_owned(),
    ] {
        let error = run(&engine, &text).unwrap_err();
        assert!(
            matches!(error, EngineError::Query { .. }),
            "{text}: {error:?}"
        );
    }
}
