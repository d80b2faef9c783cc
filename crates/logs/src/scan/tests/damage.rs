//! What is damaged, odd, too long or hostile.

use super::*;

#[test]
fn invalid_utf_8_is_replaced_and_the_row_kept() {
    let mut json = br#"{"date":"2026-06-14","time":"17:00:01","cs-uri-stem":"/a"#.to_vec();
    json.extend_from_slice(b"\xff\"}");
    assert_eq!(column(&json, "cs_uri_stem"), [words("/a\u{fffd}")]);
    let mut text = standard(&[("cs-uri-stem", "/a?")]).into_bytes();
    let mark = text.iter().position(|byte| *byte == b'?').unwrap();
    text[mark] = 0xff;
    assert_eq!(column(&text, "cs_uri_stem"), [words("/a\u{fffd}")]);
    // But not where it matters.
    text[0] = 0xff;
    assert_eq!(read(&text, &["cs_uri_stem"]).0.bad, 1);
}

#[test]
fn bad_lines_are_counted_and_the_first_are_kept() {
    let good = standard(&[]);
    let long = "x ".repeat(300);
    let undated = standard(&[("date", "2026-13-01")]);
    let text = format!("{good}\n{long}\n{undated}\n{}", "a\tb\n".repeat(30));
    let (scanned, rows) = read(text.as_bytes(), &["at"]);
    assert_eq!(
        (rows.len(), scanned.bad, scanned.samples.len()),
        (1, 32, 20)
    );
    assert_eq!(
        (scanned.samples[0].line, scanned.samples[0].excerpt.len()),
        (2, 200)
    );
    assert_eq!(scanned.samples[1].reason, "its date or time cannot be read");
    let declared = format!("#Fields: {}\n{good}\textra\n", STANDARD.join(" "));
    assert_eq!(
        read(declared.as_bytes(), &["at"]).0.samples[0].reason,
        "34 fields instead of 33"
    );
}

#[test]
fn excerpts_of_bad_lines_show_no_token() {
    let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ2aWV3ZXIifQ.c2lnbmF0dXJlLW9mLXRoaXM";
    let text = format!("GET /live/{token}/1.m4s\t200\u{1b}\u{ff}");
    let (scanned, _) = read(text.as_bytes(), &["at"]);
    assert_eq!(
        scanned.samples[0].excerpt,
        "GET /live/eyJhbGci…/1.m4s\t200\u{1b}\u{ff}"
    );
    let (scanned, _) = read(&[0xff; 300], &["at"]);
    assert_eq!(scanned.samples[0].excerpt, "\u{fffd}".repeat(66));
}

#[test]
fn ends_of_lines_and_files_come_in_all_forms() {
    let one = standard(&[("sc-range-end", "7")]);
    for text in [
        format!("{one}\n{one}\n"),
        format!("{one}\n{one}"),
        format!("{one}\r\n{one}\r\n"),
        format!("\u{feff}{one}\n\n\n{one}\n"),
        format!("\u{feff}#Fields: {}\r\n{one}\r\n{one}", STANDARD.join("\t")),
    ] {
        assert_eq!(
            column(text.as_bytes(), "sc_range_end"),
            [Value::Integer(7), Value::Integer(7)],
            "{text:?}"
        );
    }
    for text in ["", "\n", "\r\n", "#Version: 1.0\n", "\u{feff}"] {
        let (scanned, rows) = read(text.as_bytes(), &["at"]);
        assert_eq!((scanned.bad, rows.len()), (0, 0), "{text:?}");
    }
}

#[test]
fn a_line_of_more_than_a_mebibyte_is_one_bad_line() {
    let one = standard(&[]);
    for length in [
        lines::LONGEST,
        lines::LONGEST + 1,
        3 * lines::LONGEST,
        9 * lines::LONGEST + 5,
    ] {
        let text = format!("{one}\n{}\n{one}\n", "x".repeat(length));
        let (scanned, rows) = read(text.as_bytes(), &["at"]);
        assert_eq!((rows.len(), scanned.bad), (2, 1), "{length}");
        assert_eq!(scanned.samples[0].line, 2);
    }
    let endless = "x".repeat(5 * lines::LONGEST);
    assert_eq!(read(endless.as_bytes(), &["at"]).0.bad, 1);
}

#[test]
fn gzip_with_several_members_and_padding_is_read_whole() {
    let one = format!("{}\n", standard(&[]));
    let mut object = packed(one.as_bytes());
    object.extend(packed(b""));
    object.extend(packed(one.as_bytes()));
    let (scanned, rows) = read(&object, &["at"]);
    assert_eq!(
        (rows.len(), scanned.truncated, scanned.bytes),
        (2, None, object.len() as u64)
    );
    object.extend([0; 512]);
    let (scanned, rows) = read(&object, &["at"]);
    assert_eq!((rows.len(), scanned.truncated), (2, None));
    object.extend(b"more");
    let (scanned, rows) = read(&object, &["at"]);
    assert_eq!(rows.len(), 2);
    assert_eq!(
        scanned.truncated.as_deref(),
        Some("what follows the gzip is no gzip")
    );
}

#[test]
fn a_gzip_that_is_cut_off_or_damaged_gives_what_it_had() {
    let text: String = (0..5000)
        .map(|row| standard(&[("sc-bytes", &row.to_string())]) + "\n")
        .collect();
    let whole = packed(text.as_bytes());
    let (scanned, rows) = read(&whole[..whole.len() / 2], &["sc_bytes"]);
    assert_eq!(scanned.truncated.as_deref(), Some("the gzip was cut off"));
    assert!(rows.len() > 1000 && rows.len() < 5000, "{}", rows.len());
    assert!(scanned.bad <= 1, "the last line may be half");
    // The trailer alone is missing: all rows are there, and it is said all the same.
    let (scanned, rows) = read(&whole[..whole.len() - 4], &["sc_bytes"]);
    assert_eq!((rows.len(), scanned.truncated.is_some()), (5000, true));
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 64].fill(0xff);
    let (scanned, rows) = read(&damaged, &["sc_bytes"]);
    assert!(rows.len() < 5000 || scanned.bad > 0);
    assert!(
        scanned
            .truncated
            .is_some_and(|why| why.starts_with("the gzip is damaged"))
    );
    let (scanned, _) = read(b"PAR1....", &["sc_bytes"]);
    assert!(scanned.truncated.is_some());
}

/// An object that cannot be read past its beginning.
struct Broken<'a>(&'a [u8]);

impl Read for Broken<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(std::io::Error::other("the network is down")),
            read => Ok(read),
        }
    }
}

#[test]
fn an_object_that_cannot_be_read_is_an_error_and_no_truncation() {
    let line = standard(&[]);
    let whole = packed(line.as_bytes());
    for object in [&line.as_bytes()[..50], &whole[..whole.len() - 9], &[][..]] {
        let read = scan(
            Broken(object),
            "",
            &Scan::default(),
            &mut Collected::default(),
        );
        assert_eq!(read.unwrap_err().to_string(), "the network is down");
    }
}

#[test]
fn a_sink_that_breaks_off_ends_the_reading() {
    let text = format!("{}\n", standard(&[])).repeat(50);
    let mut sink = Collected::at_most(7);
    let asked = Scan {
        columns: vec![0],
        ..Scan::default()
    };
    let scanned = scan(text.as_bytes(), "", &asked, &mut sink).unwrap();
    assert_eq!((scanned.rows, sink.rows.len()), (7, 7));
}

#[test]
fn hostile_text_comes_through_unharmed() {
    let agent = "%1B%5B31m<script>\u{202e}=HYPERLINK('x')|`%00";
    let line = standard(&[("cs(User-Agent)", agent), ("cs-uri-stem", "/\0\u{1b}[2J")]);
    assert_eq!(
        column(line.as_bytes(), "cs_user_agent"),
        [words("\u{1b}[31m<script>\u{202e}=HYPERLINK('x')|`\0")]
    );
    assert_eq!(
        column(line.as_bytes(), "cs_uri_stem"),
        [words("/\0\u{1b}[2J")]
    );
}
