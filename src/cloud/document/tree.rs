//! The elements of an XML text with the bytes that each spans: just enough to find a member by
//! its path and to edit it where it stands.

use std::ops::Range;

use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::{NsReader, Reader};

use super::DocumentError;

/// One element.
#[derive(Debug)]
pub(super) struct Element {
    /// The name as written, with its prefix.
    pub(super) name: String,
    /// From `<` to the end of the closing tag.
    pub(super) outer: Range<usize>,
    /// Between the tags; absent for `<a/>`.
    pub(super) inner: Option<Range<usize>>,
    namespace: Option<String>,
    parent: Option<usize>,
    index: usize,
}

impl Element {
    /// Returns the name without its prefix.
    pub(super) fn local_name(&self) -> &str {
        &self.name[self.prefix().len()..]
    }

    /// Returns the prefix with its colon, or nothing.
    pub(super) fn prefix(&self) -> &str {
        self.name.find(':').map_or("", |colon| &self.name[..=colon])
    }
}

/// The elements of a text, in the order of their opening tags; the first is the root.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    text: &'a str,
    elements: Vec<Element>,
}

impl<'a> Tree<'a> {
    /// Reads the whole text, so that whatever is malformed is found here.
    pub(super) fn parse(xml: &'a [u8]) -> Result<Self, DocumentError> {
        let text = std::str::from_utf8(xml).map_err(|error| DocumentError::Malformed {
            position: error.valid_up_to() as u64,
            message: "not UTF-8".to_owned(),
        })?;
        // The reader does not count a byte order mark, so it gets the text behind one.
        let content = text.trim_start_matches('\u{feff}');
        let skipped = text.len() - content.len();
        let mut reader = NsReader::from_str(content);
        let position = |reader: &NsReader<&[u8]>| {
            usize::try_from(reader.buffer_position()).expect("a position inside a slice fits usize")
                + skipped
        };
        let mut elements: Vec<Element> = Vec::new();
        let mut open: Vec<usize> = Vec::new();
        loop {
            let start = position(&reader);
            let (namespace, event) = reader
                .read_resolved_event()
                .map_err(|error| malformed(start, &error))?;
            let namespace = match namespace {
                ResolveResult::Bound(namespace) => Some(namespace.as_ref().to_owned()),
                ResolveResult::Unbound | ResolveResult::Unknown(_) => None,
            };
            match event {
                Event::Start(tag) => {
                    let name = name_of(&tag);
                    // The reader's position after a tag is right behind its `>`.
                    let behind = position(&reader);
                    let index = elements.len();
                    elements.push(Element {
                        name,
                        outer: start..behind,
                        inner: Some(behind..behind),
                        namespace,
                        parent: open.last().copied(),
                        index,
                    });
                    open.push(index);
                }
                Event::Empty(tag) => {
                    let name = name_of(&tag);
                    let index = elements.len();
                    elements.push(Element {
                        name,
                        outer: start..position(&reader),
                        inner: None,
                        namespace,
                        parent: open.last().copied(),
                        index,
                    });
                }
                Event::End(_) => {
                    let closed = open.pop().ok_or_else(|| unbalanced(start))?;
                    let element = &mut elements[closed];
                    element.inner = element.inner.take().map(|inner| inner.start..start);
                    element.outer.end = position(&reader);
                }
                Event::Eof if open.is_empty() && !elements.is_empty() => break,
                Event::Eof => return Err(unbalanced(start)),
                _ => {}
            }
        }
        Ok(Self { text, elements })
    }

    /// Returns the root.
    pub(super) fn root(&self) -> &Element {
        &self.elements[0]
    }

    /// Returns the children of this local name that are in the root's namespace.
    pub(super) fn children<'t>(
        &'t self,
        parent: &'t Element,
        name: &'t str,
    ) -> impl Iterator<Item = &'t Element> {
        self.elements.iter().filter(move |element| {
            element.parent == Some(parent.index)
                && element.local_name() == name
                && element.namespace == self.root().namespace
        })
    }

    /// Returns the one child of this name.
    pub(super) fn child<'t>(
        &'t self,
        parent: &'t Element,
        name: &'static str,
    ) -> Result<Option<&'t Element>, DocumentError> {
        let mut children = self.children(parent, name);
        let first = children.next();
        if children.next().is_some() {
            return Err(DocumentError::Repeated { element: name });
        }
        Ok(first)
    }

    /// Returns an element's text, entities resolved, without the space around it.
    pub(super) fn text(&self, element: &Element) -> Result<String, DocumentError> {
        let Some(inner) = element.inner.clone() else {
            return Ok(String::new());
        };
        let offset = inner.start;
        let mut reader = Reader::from_str(&self.text[inner]);
        let mut text = String::new();
        loop {
            match reader
                .read_event()
                .map_err(|error| malformed(offset, &error))?
            {
                Event::Text(piece) => {
                    text += piece.as_ref();
                }
                Event::CData(piece) => text += piece.as_ref(),
                Event::GeneralRef(reference) => {
                    let name: &str = reference.as_ref();
                    let whole = format!("&{name};");
                    text += &quick_xml::escape::unescape(&whole).map_err(|_| {
                        DocumentError::Malformed {
                            position: offset as u64,
                            message: format!(
                                "unknown entity {}",
                                super::super::error::one_line(name)
                            ),
                        }
                    })?;
                }
                Event::Eof => return Ok(text.trim().to_owned()),
                _ => {}
            }
        }
    }

    /// Returns where the `/` of an empty element's `/>` stands.
    pub(super) fn slash(&self, element: &Element) -> usize {
        let tag = &self.text[element.outer.clone()];
        element.outer.start + tag.rfind('/').expect("an empty element ends with />")
    }
}

fn name_of(tag: &BytesStart<'_>) -> String {
    tag.name().as_ref().to_owned()
}

fn malformed(position: usize, error: &quick_xml::Error) -> DocumentError {
    DocumentError::Malformed {
        position: position as u64,
        message: super::super::error::one_line(&error.to_string()),
    }
}

fn unbalanced(position: usize) -> DocumentError {
    DocumentError::Malformed {
        position: position as u64,
        message: "tags do not match".to_owned(),
    }
}
