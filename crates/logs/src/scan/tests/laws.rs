//! What holds for any input.

use proptest::prelude::*;

use super::*;

/// All columns.
fn everything() -> Scan {
    Scan {
        columns: (0..schema::REQUESTS.len()).collect(),
        ..Scan::default()
    }
}

/// Hands out so many bytes at a time.
struct Pieces<'a>(&'a [u8], Vec<usize>, usize);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let size = self.1[self.2 % self.1.len()].min(buffer.len());
        self.2 += 1;
        self.0.read(&mut buffer[..size])
    }
}

fn some_line() -> impl Strategy<Value = Vec<u8>> {
    let text = |text: String| text.into_bytes();
    prop_oneof![
        Just(standard(&[(
            "cs-uri-query",
            "CMCD=br%253D1%252Csid%253D%2522a%2522"
        )]))
        .prop_map(text),
        Just(realtime(&[("cmcd-session-id", "a")])).prop_map(text),
        Just(line(&STANDARD[..12], "\t", &[])).prop_map(text),
        Just(r#"{"date":"2026-06-14","time":"17:00:01","sc-status":"200"}"#.to_owned())
            .prop_map(text),
        Just(format!("#Fields: {}", STANDARD.join(" "))).prop_map(text),
        "(#Fields:( [a-z-]{1,6}){0,4})".prop_map(text),
        "[-0-9\t :]{0,60}".prop_map(text),
        r#"[\[{}"a:,\\ ]{0,30}"#.prop_map(text),
        proptest::collection::vec(any::<u8>(), 0..80)
            .prop_map(|bytes| bytes.into_iter().filter(|byte| *byte != b'\n').collect()),
    ]
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let asked = everything();
        scan(&bytes[..], "", &asked, &mut Collected::default()).unwrap();
        let mut gzip = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0];
        gzip.extend(&bytes);
        scan(&gzip[..], "", &asked, &mut Collected::default()).unwrap();
    }

    #[test]
    fn every_line_is_accounted_for(lines in proptest::collection::vec(some_line(), 1..12), window in any::<bool>()) {
        let mut asked = everything();
        if window {
            asked.window = Some(("2026-06-14T17:00".parse().unwrap(), "2026-06-14T17:00:02".parse().unwrap()));
        }
        // A document of JSON is counted by its objects: it is no document behind another line.
        let mut text = b"0\n".to_vec();
        for line in &lines {
            text.extend(line);
            text.push(b'\n');
        }
        let mut sink = Collected::default();
        let scanned = scan(&text[..], "", &asked, &mut sink).unwrap();
        let all = scanned.rows + scanned.outside + scanned.bad + scanned.skipped;
        if lines.iter().any(|line| line.windows(2).any(|pair| pair == b"}{")) {
            // Objects in one line count each.
            prop_assert!(all > lines.len() as u64);
        } else {
            prop_assert_eq!(all, lines.len() as u64 + 1);
        }
        prop_assert!(sink.rows.iter().all(|row| row.len() == asked.columns.len()));
    }

    #[test]
    fn pieces_that_it_comes_in_make_no_difference(
        lines in proptest::collection::vec(some_line(), 0..12),
        sizes in proptest::collection::vec(1_usize..200, 1..6),
        is_packed in any::<bool>(),
    ) {
        let asked = everything();
        let text = lines.join(&b"\n"[..]);
        let object = if is_packed { packed(&text) } else { text };
        let (mut whole, mut pieces) = (Collected::default(), Collected::default());
        let one = scan(&object[..], "", &asked, &mut whole).unwrap();
        let other = scan(Pieces(&object, sizes, 0), "", &asked, &mut pieces).unwrap();
        prop_assert_eq!(one, other);
        prop_assert_eq!(whole.rows, pieces.rows);
    }
}

proptest! {
    // A case reads its lines once for each column.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_column_is_the_same_alone_and_among_others(lines in proptest::collection::vec(some_line(), 1..8)) {
        let text = lines.join(&b"\n"[..]);
        let all = everything();
        let mut whole = Collected::default();
        scan(&text[..], "", &all, &mut whole).unwrap();
        for column in 0..schema::REQUESTS.len() {
            let mut alone = Collected::default();
            scan(&text[..], "", &Scan { columns: vec![column], ..Scan::default() }, &mut alone).unwrap();
            let expected: Vec<_> = whole.rows.iter().map(|row| vec![row[column].clone()]).collect();
            prop_assert_eq!(alone.rows, expected);
        }
    }
}
