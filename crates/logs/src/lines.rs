//! Unpacks an object and cuts it into lines, in a buffer that never grows.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};
use std::ops::ControlFlow;
use std::rc::Rc;

use flate2::bufread::GzDecoder;

/// A line that is longer is no line of a log: CloudFront logs no request with a URL beyond 8 KiB.
pub(crate) const LONGEST: usize = 1 << 20;
/// Small, so that lines are cut where the processor's cache still has them; a longer line makes it grow.
const BUFFER: usize = 256 << 10;
const READ_AHEAD: usize = 128 << 10;
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A line, or what there is of one that is too long.
pub(crate) struct Line<'a> {
    /// Without its end.
    pub(crate) text: &'a [u8],
    /// The text is but the line's beginning.
    pub(crate) is_too_long: bool,
}

/// What reading an object came to.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    /// Bytes of the object as it lies there.
    pub(crate) bytes: u64,
    /// Why the object ended before its end.
    pub(crate) truncated: Option<String>,
}

/// Hands over each line until `take` breaks off.
pub(crate) fn each(
    object: impl Read,
    mut take: impl FnMut(Line<'_>) -> ControlFlow<()>,
) -> io::Result<Ended> {
    let mut source = Source::open(object)?;
    let mut ended = Ended::default();
    let mut buffer = vec![0; BUFFER];
    let mut filled = 0;
    let mut is_skipping = false;
    let mut is_done = false;
    while !is_done {
        let read = source.read(&mut buffer[filled..])?;
        is_done = read == 0;
        let start = filled;
        filled += read;
        let end = match memchr::memrchr(b'\n', &buffer[start..filled]) {
            Some(newline) => start + newline + 1,
            None if is_done => filled,
            None => 0,
        };
        let mut whole = &buffer[..end];
        while !whole.is_empty() {
            let (line, rest) = match memchr::memchr(b'\n', whole) {
                Some(newline) => (&whole[..newline], &whole[newline + 1..]),
                None => (whole, &[][..]),
            };
            whole = rest;
            if std::mem::take(&mut is_skipping) {
                continue;
            }
            let is_too_long = line.len() > LONGEST;
            let line = Line {
                text: without_return(&line[..line.len().min(LONGEST)]),
                is_too_long,
            };
            if take(line).is_break() {
                ended.bytes = source.bytes.get();
                return Ok(ended);
            }
        }
        buffer.copy_within(end..filled, 0);
        filled -= end;
        if filled == buffer.len() {
            buffer.resize(2 * filled, 0);
        }
        if filled > LONGEST {
            if !is_skipping {
                let line = Line {
                    text: &buffer[..LONGEST],
                    is_too_long: true,
                };
                if take(line).is_break() {
                    ended.bytes = source.bytes.get();
                    return Ok(ended);
                }
            }
            is_skipping = true;
            filled = 0;
        }
    }
    ended.bytes = source.bytes.get();
    ended.truncated = source.truncated;
    Ok(ended)
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Counts bytes, and remembers that the object itself could not be read: damage that a decoder finds
/// is not that.
struct Counting<Object> {
    object: Object,
    bytes: Rc<Cell<u64>>,
    failed: Rc<Cell<bool>>,
}

impl<Object: Read> Read for Counting<Object> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.object.read(buffer) {
            Ok(read) => {
                self.bytes.set(self.bytes.get() + read as u64);
                Ok(read)
            }
            Err(error) => {
                let again = error.kind() == io::ErrorKind::Interrupted;
                self.failed.set(!again);
                Err(error)
            }
        }
    }
}

/// The object from its start: the bytes that told what it is, then the rest.
type Whole<Object> = BufReader<Chain<Cursor<Vec<u8>>, Counting<Object>>>;

enum Content<Object: Read> {
    Plain(Whole<Object>),
    Gzip(GzDecoder<Whole<Object>>),
    Ended,
}

struct Source<Object: Read> {
    content: Content<Object>,
    bytes: Rc<Cell<u64>>,
    failed: Rc<Cell<bool>>,
    truncated: Option<String>,
}

impl<Object: Read> Source<Object> {
    fn open(object: Object) -> io::Result<Self> {
        let (bytes, failed) = (Rc::default(), Rc::default());
        let mut object = Counting {
            object,
            bytes: Rc::clone(&bytes),
            failed: Rc::clone(&failed),
        };
        let mut head = Vec::new();
        object.by_ref().take(4).read_to_end(&mut head)?;
        let is_gzip = head.starts_with(&GZIP);
        let is_parquet = head == b"PAR1";
        let whole = BufReader::with_capacity(READ_AHEAD, Cursor::new(head).chain(object));
        Ok(Self {
            content: match (is_gzip, is_parquet) {
                (true, _) => Content::Gzip(GzDecoder::new(whole)),
                (_, true) => Content::Ended,
                _ => Content::Plain(whole),
            },
            bytes,
            failed,
            truncated: is_parquet.then(|| "a Parquet file, which is not read as text".to_owned()),
        })
    }

    /// Fills some of `buffer`; 0 at the end, be it early.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = match &mut self.content {
                Content::Plain(plain) => plain.read(buffer),
                Content::Gzip(gzip) => gzip.read(buffer),
                Content::Ended => return Ok(0),
            };
            match read {
                Ok(0) => self.next_member()?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if self.failed.get() => return Err(error),
                Err(error) => {
                    self.truncated = Some(match error.kind() {
                        io::ErrorKind::UnexpectedEof => "the gzip was cut off".to_owned(),
                        _ => format!("the gzip is damaged: {error}"),
                    });
                    self.content = Content::Ended;
                }
                read => return read,
            }
        }
    }

    /// A gzip may have several members, one after the other; blocks of zeros after it are padding.
    fn next_member(&mut self) -> io::Result<()> {
        let Content::Gzip(gzip) = std::mem::replace(&mut self.content, Content::Ended) else {
            return Ok(());
        };
        let mut whole = gzip.into_inner();
        loop {
            let ahead = match whole.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                ahead => ahead?,
            };
            let zeros = ahead.iter().take_while(|byte| **byte == 0).count();
            match ahead.get(zeros) {
                None if ahead.is_empty() => return Ok(()),
                None => whole.consume(zeros),
                Some(byte) if *byte == GZIP[0] => {
                    whole.consume(zeros);
                    self.content = Content::Gzip(GzDecoder::new(whole));
                    return Ok(());
                }
                Some(_) => {
                    self.truncated = Some("what follows the gzip is no gzip".to_owned());
                    return Ok(());
                }
            }
        }
    }
}
