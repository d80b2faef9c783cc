//! JSON whose objects go over several lines, or are members of an array: cut into its objects.

use crate::lines::LONGEST;

/// A document, as far as it was read.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// The object at hand; before it is whole, its beginning.
    text: Vec<u8>,
    /// The line that it began in.
    began: u64,
    depth: usize,
    is_in_string: bool,
    is_escaped: bool,
    is_whole: bool,
}

impl Document {
    /// The next object that ends in this line; what is wrong with the line; None: it is used up.
    pub(super) fn next(
        &mut self,
        number: u64,
        line: &mut &[u8],
    ) -> Option<Result<&[u8], &'static str>> {
        if std::mem::take(&mut self.is_whole) {
            self.text.clear();
        }
        if self.depth == 0 {
            let between =
                |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'[' | b']' | b',');
            let begins = line.iter().position(|byte| !between(byte))?;
            *line = &line[begins..];
            if line[0] != b'{' {
                *line = &[];
                return Some(Err("JSON: it is no object of fields"));
            }
            self.began = number;
        }
        for (place, byte) in line.iter().enumerate() {
            self.see(*byte);
            if self.depth == 0 {
                self.text.extend_from_slice(&line[..=place]);
                *line = &line[place + 1..];
                self.is_whole = true;
                return Some(Ok(&self.text));
            }
        }
        self.text.extend_from_slice(line);
        self.text.push(b'\n');
        *line = &[];
        if self.text.len() > LONGEST {
            *self = Self::default();
            return Some(Err("JSON: the object is longer than 1 MiB"));
        }
        None
    }

    fn see(&mut self, byte: u8) {
        if self.is_in_string {
            match byte {
                _ if std::mem::take(&mut self.is_escaped) => {}
                b'\\' => self.is_escaped = true,
                b'"' => self.is_in_string = false,
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => self.is_in_string = true,
            b'{' => self.depth += 1,
            b'}' => self.depth -= 1,
            _ => {}
        }
    }

    /// An object that did not end: the line that it began in, and its text.
    pub(super) fn unfinished(&self) -> Option<(u64, &[u8])> {
        (self.depth > 0).then_some((self.began, &self.text))
    }
}
