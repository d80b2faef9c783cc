//! HTML elements whose every text and attribute is escaped; markup goes in by one door, `drawn`.

use std::fmt;

/// Elements without content and end tag.
const VOID: [&str; 2] = ["br", "meta"];

/// An element with its attributes and what is in it.
#[derive(Debug, Clone)]
pub(super) struct Element {
    name: &'static str,
    attributes: String,
    inner: String,
}

/// A new element.
pub(super) fn element(name: &'static str) -> Element {
    Element {
        name,
        attributes: String::new(),
        inner: String::new(),
    }
}

/// A new element with this text.
pub(super) fn texted(name: &'static str, text: &str) -> Element {
    element(name).text(text)
}

impl Element {
    pub(super) fn attribute(mut self, name: &'static str, value: &str) -> Self {
        self.attributes
            .push_str(&format!(" {name}=\"{}\"", escaped(value)));
        self
    }

    pub(super) fn class(self, class: &str) -> Self {
        if class.is_empty() {
            self
        } else {
            self.attribute("class", class)
        }
    }

    pub(super) fn id(self, id: &str) -> Self {
        self.attribute("id", id)
    }

    pub(super) fn text(mut self, text: &str) -> Self {
        self.inner.push_str(&escaped(text));
        self
    }

    pub(super) fn child(mut self, child: &Self) -> Self {
        self.inner.push_str(&child.to_string());
        self
    }

    pub(super) fn children(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        for child in children {
            self = self.child(&child);
        }
        self
    }

    /// Markup of our own making, as it is: a picture, or the style.
    pub(super) fn drawn(mut self, markup: &str) -> Self {
        self.inner.push_str(markup);
        self
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            attributes,
            inner,
        } = self;
        if VOID.contains(name) {
            write!(f, "<{name}{attributes}>")
        } else {
            write!(f, "<{name}{attributes}>{inner}</{name}>")
        }
    }
}

/// Text that HTML takes as text, in elements and in attributes in double quotes.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_text_leaves_its_place(text in any::<String>()) {
            let shown = texted("p", &text).attribute("title", &text).to_string();
            prop_assert_eq!(shown.matches('<').count(), 2);
            prop_assert_eq!(shown.matches('"').count(), 2);
        }
    }
}
