//! XML documents as sent: a tree of elements that knows where in the text each of them stands, so
//! that documents can be checked, cut and extended without writing them anew.
//!
//! What an element means is left to the callers.

use std::ops::Range;

use quick_xml::Reader;
use quick_xml::escape::{escape, resolve_xml_entity};
use quick_xml::events::{BytesStart, Event};

/// The namespace of every document of this API version.
pub(crate) const NAMESPACE: &str = "http://cloudfront.amazonaws.com/doc/2020-05-31/";

/// Deeper documents are refused; the deepest member of the service's model is at ten.
const DEEPEST: usize = 64;

/// Says why a text is not a document.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum DocumentError {
    #[error("not UTF-8")]
    Encoding,
    #[error("not well-formed at byte {at}: {why}")]
    IllFormed { at: u64, why: String },
    #[error("a document type is not accepted")]
    DocumentType,
    #[error("no root element")]
    Empty,
    #[error("text or a second element beside the root element")]
    BesideRoot,
    #[error("nested too deep")]
    TooDeep,
}

/// One element; ranges are bytes of the text that was parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    /// The default namespace that this very element declares.
    pub(crate) namespace: Option<String>,
    /// From `<` of the start tag to `>` of the end tag.
    pub(crate) outer: Range<usize>,
    /// Between the tags; empty and at the end for `<Name/>`.
    pub(crate) inner: Range<usize>,
    pub(crate) children: Vec<Element>,
    /// Its own text, unescaped.
    pub(crate) text: String,
    /// Written `<Name/>`.
    pub(crate) is_empty_tag: bool,
}

impl Element {
    /// Returns the first child of this name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Returns the element that the names lead to, each a child of the one before.
    pub(crate) fn at(&self, names: &[&str]) -> Option<&Self> {
        names
            .iter()
            .try_fold(self, |element, name| element.child(name))
    }

    /// Returns the text of a child, without surrounding white space.
    pub(crate) fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim())
    }

    /// The children of this element's `Items`.
    pub(crate) fn items(&self) -> &[Self] {
        self.child("Items")
            .map_or(&[], |items| items.children.as_slice())
    }

    /// The items' texts, without surrounding white space.
    pub(crate) fn item_texts(&self) -> impl Iterator<Item = &str> {
        self.items().iter().map(|item| item.text.trim())
    }

    /// The items of the child of this name; none when there is no such child.
    pub(crate) fn items_of(&self, name: &str) -> &[Self] {
        self.child(name).map_or(&[], Self::items)
    }
}

/// Parses a body into its text and the root element.
pub(crate) fn parse(body: &[u8]) -> Result<(&str, Element), DocumentError> {
    let text = std::str::from_utf8(body).map_err(|_| DocumentError::Encoding)?;
    // Positions are counted from behind a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Ok((text, parse_text(text)?))
}

/// Parses a text into its root element.
pub(crate) fn parse_text(text: &str) -> Result<Element, DocumentError> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    loop {
        let before = position(&reader);
        let ill_formed = |reader: &Reader<&[u8]>, why: String| DocumentError::IllFormed {
            at: reader.error_position(),
            why,
        };
        let event = reader
            .read_event()
            .map_err(|error| ill_formed(&reader, error.to_string()))?;
        let after = position(&reader);
        match event {
            Event::Start(start) => {
                if open.len() == DEEPEST {
                    return Err(DocumentError::TooDeep);
                }
                open.push(element(&start, before..after, after..after, false)?);
            }
            Event::Empty(start) => {
                let empty = element(&start, before..after, after..after, true)?;
                close(empty, &mut open, &mut root)?;
            }
            Event::End(_) => {
                let mut closed = open.pop().ok_or(DocumentError::BesideRoot)?;
                closed.outer.end = after;
                closed.inner.end = before;
                close(closed, &mut open, &mut root)?;
            }
            Event::Text(content) => add_text(&content.xml10_content(), &mut open)?,
            Event::CData(content) => add_text(&content.xml10_content(), &mut open)?,
            Event::GeneralRef(reference) => {
                let character = reference
                    .resolve_char_ref()
                    .map_err(|error| ill_formed(&reader, error.to_string()))?;
                let resolved = match character {
                    Some(character) => character.to_string(),
                    None => resolve_xml_entity(&reference.xml10_content())
                        .ok_or_else(|| ill_formed(&reader, "unknown entity".to_owned()))?
                        .to_owned(),
                };
                open.last_mut()
                    .ok_or(DocumentError::BesideRoot)?
                    .text
                    .push_str(&resolved);
            }
            Event::DocType(_) => return Err(DocumentError::DocumentType),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof if open.is_empty() => return root.ok_or(DocumentError::Empty),
            Event::Eof => return Err(ill_formed(&reader, "an element is not closed".to_owned())),
        }
    }
}

fn position(reader: &Reader<&[u8]>) -> usize {
    usize::try_from(reader.buffer_position()).expect("a position in a text that is in memory")
}

fn element(
    start: &BytesStart<'_>,
    outer: Range<usize>,
    inner: Range<usize>,
    is_empty_tag: bool,
) -> Result<Element, DocumentError> {
    let mut namespace = None;
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| DocumentError::IllFormed {
            at: outer.start as u64,
            why: error.to_string(),
        })?;
        if attribute.key.as_ref() == "xmlns" {
            namespace = Some(attribute.value.to_string());
        }
    }
    Ok(Element {
        name: start.name().as_ref().to_owned(),
        namespace,
        outer,
        inner,
        children: Vec::new(),
        text: String::new(),
        is_empty_tag,
    })
}

fn close(
    closed: Element,
    open: &mut [Element],
    root: &mut Option<Element>,
) -> Result<(), DocumentError> {
    match open.last_mut() {
        Some(parent) => parent.children.push(closed),
        None if root.is_none() => *root = Some(closed),
        None => return Err(DocumentError::BesideRoot),
    }
    Ok(())
}

fn add_text(text: &str, open: &mut [Element]) -> Result<(), DocumentError> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return Err(DocumentError::BesideRoot),
    }
    Ok(())
}

/// Changes to a text at ranges of it that do not overlap.
#[derive(Debug, Default)]
pub(crate) struct Edits(Vec<(Range<usize>, String)>);

impl Edits {
    /// Puts `with` in place of what is at `range`.
    pub(crate) fn replace(&mut self, range: Range<usize>, with: String) {
        self.0.push((range, with));
    }

    /// Puts `content` behind the last child of `element`.
    pub(crate) fn append(&mut self, element: &Element, content: &str) {
        if element.is_empty_tag {
            let name = &element.name;
            self.replace(element.outer.clone(), format!("<{name}>{content}</{name}>"));
        } else {
            self.replace(element.inner.end..element.inner.end, content.to_owned());
        }
    }

    /// Returns the text with all changes made, in the order of their places.
    pub(crate) fn apply(mut self, text: &str) -> String {
        self.0.sort_by_key(|(range, _)| range.start);
        let mut edited = String::with_capacity(text.len());
        let mut at = 0;
        for (range, with) in self.0 {
            edited.push_str(&text[at..range.start]);
            edited.push_str(&with);
            at = range.end;
        }
        edited.push_str(&text[at..]);
        edited
    }
}

/// Writes `<name>text</name>` with the text escaped.
pub(crate) fn tag(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>", escape(text))
}

/// Writes `{Quantity, Items}` from items that are XML already; without `Items` when there are none.
pub(crate) fn list(name: &str, items: &[String]) -> String {
    let quantity = items.len();
    if items.is_empty() {
        return format!("<{name}><Quantity>0</Quantity></{name}>");
    }
    let items = items.concat();
    format!("<{name}><Quantity>{quantity}</Quantity><Items>{items}</Items></{name}>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_elements_and_where_they_stand() {
        let text = "<?xml version=\"1.0\"?>\n<A xmlns=\"n\"><B>x &amp; &#65;</B><C/><!-- c --><D><![CDATA[<]]></D></A>\n";
        let root = parse_text(text).unwrap();
        assert_eq!(root.name, "A");
        assert_eq!(root.namespace.as_deref(), Some("n"));
        assert_eq!(root.text_of("B"), Some("x & A"));
        assert_eq!(root.text_of("D"), Some("<"));
        let place = |name: &str| &text[root.child(name).unwrap().outer.clone()];
        assert_eq!(place("B"), "<B>x &amp; &#65;</B>");
        assert_eq!(place("C"), "<C/>");
        assert!(root.child("C").unwrap().is_empty_tag);
    }

    #[test]
    fn refuses_what_is_not_a_document() {
        for text in [
            "",
            "text",
            "<A>",
            "<A></B>",
            "<A/><B/>",
            "<A/>x",
            "<A>&unknown;</A>",
            "<!DOCTYPE A><A/>",
            "<A b></A>",
        ] {
            assert!(parse_text(text).is_err(), "{text}");
        }
        assert_eq!(parse(b"<A>\xff</A>"), Err(DocumentError::Encoding));
        assert_eq!(
            parse_text(&format!("{}{}", "<A>".repeat(100), "</A>".repeat(100))),
            Err(DocumentError::TooDeep)
        );
    }

    #[test]
    fn edits_keep_the_rest_as_it_was() {
        let text = "<A> <B/> <C>1</C> </A>";
        let root = parse_text(text).unwrap();
        let mut edits = Edits::default();
        edits.append(&root, "<E/>");
        edits.append(root.child("B").unwrap(), "<D/>");
        edits.replace(root.child("C").unwrap().inner.clone(), "2".to_owned());
        assert_eq!(edits.apply(text), "<A> <B><D/></B> <C>2</C> <E/></A>");
    }
}
