//! Common Media Client Data as players write it (CTA-5004 and CTA-5004-B): keys sorted, texts in
//! quotes, in version 2 inner lists.

use crate::devices::Telling;
use crate::encode::{guid, number};
use crate::request::{Cmcd, Object};

/// How characters look where the data ends up.
#[derive(Debug)]
pub(crate) struct Style {
    equals: &'static [u8],
    comma: &'static [u8],
    quote: &'static [u8],
    semicolon: &'static [u8],
}

/// In a logged query string: encoded by the player, and its `%` once more by the log.
pub(crate) const QUERY: Style = Style {
    equals: b"%253D",
    comma: b"%252C",
    quote: b"%2522",
    semicolon: b"%253B",
};

/// In logged headers: encoded by the log alone.
pub(crate) const HEADER: Style = Style {
    equals: b"=",
    comma: b",",
    quote: b"%22",
    semicolon: b";",
};

/// Which keys: all, or those of one of the four headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    All,
    Object,
    Request,
    Session,
    Status,
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
    style: &'static Style,
    part: Part,
    is_first: bool,
    /// Bitrates and lengths are lists.
    has_lists: bool,
}

impl Writer<'_> {
    /// Begins a key; says whether it belongs here.
    fn key(&mut self, part: Part, key: &[u8]) -> bool {
        if self.part != Part::All && self.part != part {
            return false;
        }
        if !self.is_first {
            self.out.extend_from_slice(self.style.comma);
        }
        self.is_first = false;
        self.out.extend_from_slice(key);
        true
    }

    fn flag(&mut self, part: Part, key: &[u8], value: bool) {
        if value {
            self.key(part, key);
        }
    }

    fn number(&mut self, part: Part, key: &[u8], value: Option<u64>) {
        if let Some(value) = value
            && self.key(part, key)
        {
            self.out.extend_from_slice(self.style.equals);
            number(self.out, value);
        }
    }

    /// A number that version 2 has in a list, with what it is of.
    fn listed(&mut self, part: Part, key: &[u8], value: Option<u32>, of: &str) {
        if !self.has_lists {
            return self.number(part, key, value.map(u64::from));
        }
        if let Some(value) = value
            && self.key(part, key)
        {
            self.out.extend_from_slice(self.style.equals);
            self.out.push(b'(');
            number(self.out, u64::from(value));
            if !of.is_empty() {
                self.out.extend_from_slice(self.style.semicolon);
                self.out.extend_from_slice(of.as_bytes());
            }
            self.out.push(b')');
        }
    }

    fn token(&mut self, part: Part, key: &[u8], value: &str) {
        if self.key(part, key) {
            self.out.extend_from_slice(self.style.equals);
            self.out.extend_from_slice(value.as_bytes());
        }
    }

    fn text(&mut self, part: Part, key: &[u8], write: impl FnOnce(&mut Vec<u8>)) {
        if self.key(part, key) {
            self.out.extend_from_slice(self.style.equals);
            self.out.extend_from_slice(self.style.quote);
            write(self.out);
            self.out.extend_from_slice(self.style.quote);
        }
    }
}

/// Appends the data.
pub(crate) fn write(out: &mut Vec<u8>, cmcd: &Cmcd<'_>, style: &'static Style, part: Part) {
    use Part::{Object as O, Request as R, Session as S, Status as T};
    let two = (cmcd.telling == Telling::QueryTwo).then_some(cmcd.two);
    // What counts up is told with the picture alone.
    let of_picture = two.filter(|_| matches!(cmcd.object_type, "v" | "av"));
    let mut writer = Writer {
        out,
        style,
        part,
        is_first: true,
        has_lists: two.is_some(),
    };
    let kind = match cmcd.object_type {
        kind @ ("v" | "a" | "av") => kind,
        _ => "",
    };
    writer.listed(R, b"bl", cmcd.buffer, "");
    writer.listed(O, b"br", cmcd.bitrate, kind);
    writer.flag(T, b"bs", cmcd.starved);
    if let Some(two) = of_picture {
        writer.number(T, b"bsa", Some(u64::from(two.starvations)));
        writer.listed(T, b"bsd", two.starvation, "");
    }
    writer.text(S, b"cid", |out| {
        out.extend_from_slice(cmcd.content.as_bytes());
    });
    writer.number(O, b"d", cmcd.duration.map(u64::from));
    if let Some(two) = of_picture {
        writer.number(T, b"dfa", Some(u64::from(two.dropped_frames)));
        if let Some(code) = two.error_code
            && writer.key(T, b"ec")
        {
            writer.out.extend_from_slice(style.equals);
            writer.out.push(b'(');
            writer.out.extend_from_slice(style.quote);
            writer.out.extend_from_slice(code.as_bytes());
            writer.out.extend_from_slice(style.quote);
            writer.out.push(b')');
        }
        writer.number(R, b"ltc", Some(u64::from(two.latency)));
        writer.number(S, b"msd", two.start_delay.map(u64::from));
    }
    writer.listed(R, b"mtp", cmcd.throughput, "");
    if let Some(next) = cmcd.next {
        writer.text(R, b"nor", |out| write_next(out, &next));
    }
    writer.token(O, b"ot", cmcd.object_type);
    if let Some(two) = of_picture {
        writer.number(R, b"pt", Some(two.playhead));
    }
    writer.number(T, b"rtp", cmcd.requested_throughput.map(u64::from));
    writer.token(S, b"sf", cmcd.format);
    writer.text(S, b"sid", |out| guid(out, cmcd.session));
    if let Some(two) = of_picture {
        writer.number(R, b"sn", Some(two.sequence));
    }
    writer.token(S, b"st", "l");
    if let Some(two) = two {
        writer.token(T, b"sta", two.state);
    }
    writer.flag(R, b"su", cmcd.startup);
    writer.listed(O, b"tb", cmcd.top_bitrate, kind);
    if two.is_some() {
        writer.number(S, b"v", Some(2));
    }
}

/// The next segment's name, which lies beside this one's.
fn write_next(out: &mut Vec<u8>, next: &Object<'_>) {
    let begin = out.len();
    next.write_name(out);
    // The name within the rendition's folder: players send it relative to what they ask for.
    let name = out[begin..]
        .iter()
        .position(|byte| *byte == b'/')
        .map(|slash| begin + slash + 1);
    if let Some(name) = name {
        out.copy_within(name.., begin);
        out.truncate(out.len() - (name - begin));
    }
}
