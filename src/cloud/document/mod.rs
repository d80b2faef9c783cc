//! A distribution's configuration as CloudFront sent it, edited in place.
//!
//! An update replaces the whole configuration, and a typed round trip would drop what this
//! version of the SDK doesn't know. So the bytes that were read are kept, and an edit changes the
//! few spans that it means to change; every other byte goes back as it came.

mod behaviors;
mod read;
mod tree;

use thiserror::Error;

pub(crate) use read::{BehaviorView, DistributionView, OriginView};

pub(crate) use behaviors::{Behavior, serving};
use tree::{Element, Tree};

/// The members of a configuration that the API's model lists after `Restrictions`, in its order
/// (API version 2020-05-31): a missing `Restrictions` is inserted before the first of them.
const AFTER_RESTRICTIONS: [&str; 11] = [
    "WebACLId",
    "HttpVersion",
    "IsIPV6Enabled",
    "ContinuousDeploymentPolicyId",
    "Staging",
    "AnycastIpListId",
    "TenantConfig",
    "ConnectionMode",
    "ViewerMtlsConfig",
    "ConnectionFunctionAssociation",
    "CacheTagConfig",
];

/// A configuration that can't be read or edited.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum DocumentError {
    /// Not XML, or not UTF-8.
    #[error("the distribution document is malformed at byte {position}: {message}")]
    Malformed { position: u64, message: String },
    /// The root is something else.
    #[error("the document is a {found}, not a DistributionConfig")]
    NotADistribution { found: String },
    /// An element that must be single is there twice: editing one of them would be a guess.
    #[error("the distribution document has more than one {element}")]
    Repeated { element: &'static str },
    /// A restriction type that isn't known.
    #[error("unknown geo restriction type {found:?}")]
    UnknownRestriction { found: String },
}

/// How a geo restriction reads its list of countries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GeoKind {
    /// No restriction (`none`).
    None,
    /// Only the listed countries are served (`whitelist`).
    Allow,
    /// The listed countries are refused (`blacklist`).
    Block,
}

impl GeoKind {
    fn wire(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Allow => "whitelist",
            Self::Block => "blacklist",
        }
    }
}

/// A distribution's geo restriction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GeoRestriction {
    /// How the list is read.
    pub(crate) kind: GeoKind,
    /// ISO 3166-1 alpha-2 codes in upper case, in the document's order.
    pub(crate) countries: Vec<String>,
}

/// The raw `DistributionConfig` document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DistributionDocument {
    xml: Vec<u8>,
}

impl DistributionDocument {
    /// Takes the body of a `GetDistributionConfig` answer.
    pub(crate) fn new(xml: impl Into<Vec<u8>>) -> Self {
        Self { xml: xml.into() }
    }

    /// Returns the document's bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.xml
    }

    /// Returns the geo restriction; a document without one has [`GeoKind::None`].
    pub(crate) fn geo(&self) -> Result<GeoRestriction, DocumentError> {
        read_geo(&self.tree()?)
    }

    /// Returns the document with this geo restriction and every other byte as it was. Country
    /// codes are written in upper case, each once; without a restriction none are written. When
    /// the document already says so it comes back unchanged.
    pub(crate) fn with_geo(&self, wanted: &GeoRestriction) -> Result<Self, DocumentError> {
        let tree = self.tree()?;
        let wanted = normalized(wanted);
        if has_geo(&tree)? && read_geo(&tree)? == wanted {
            return Ok(self.clone());
        }
        let edits = geo_edits(&tree, &wanted)?;
        Ok(self.with_edits(edits))
    }

    /// Returns the document with these spans replaced; they do not overlap.
    fn with_edits(&self, mut edits: Vec<Edit>) -> Self {
        edits.sort_by_key(|edit| (edit.start, edit.end));
        let mut xml = Vec::with_capacity(self.xml.len() + 256);
        let mut copied = 0;
        for edit in edits {
            xml.extend_from_slice(&self.xml[copied..edit.start]);
            xml.extend_from_slice(edit.text.as_bytes());
            copied = edit.end;
        }
        xml.extend_from_slice(&self.xml[copied..]);
        Self { xml }
    }

    /// Returns the web ACL's ARN (an id for WAF Classic), if there is one.
    pub(crate) fn web_acl(&self) -> Result<Option<String>, DocumentError> {
        self.root_text("WebACLId")
    }

    fn root_text(&self, name: &'static str) -> Result<Option<String>, DocumentError> {
        let tree = self.tree()?;
        let Some(element) = tree.child(tree.root(), name)? else {
            return Ok(None);
        };
        Ok(Some(tree.text(element)?).filter(|text| !text.is_empty()))
    }

    fn tree(&self) -> Result<Tree<'_>, DocumentError> {
        let tree = Tree::parse(&self.xml)?;
        let found = tree.root().local_name();
        if found == "DistributionConfig" {
            Ok(tree)
        } else {
            Err(DocumentError::NotADistribution {
                found: super::error::one_line(found),
            })
        }
    }
}

/// Upper case, each country once, none where nothing is restricted.
fn normalized(wanted: &GeoRestriction) -> GeoRestriction {
    let mut countries: Vec<String> = Vec::new();
    if wanted.kind != GeoKind::None {
        for country in &wanted.countries {
            let country = country.to_ascii_uppercase();
            if !countries.contains(&country) {
                countries.push(country);
            }
        }
    }
    GeoRestriction {
        kind: wanted.kind,
        countries,
    }
}

fn geo_element<'a>(tree: &'a Tree<'_>) -> Result<Option<&'a Element>, DocumentError> {
    match tree.child(tree.root(), "Restrictions")? {
        Some(restrictions) => tree.child(restrictions, "GeoRestriction"),
        None => Ok(None),
    }
}

fn has_geo(tree: &Tree<'_>) -> Result<bool, DocumentError> {
    Ok(geo_element(tree)?.is_some())
}

fn read_geo(tree: &Tree<'_>) -> Result<GeoRestriction, DocumentError> {
    let none = GeoRestriction {
        kind: GeoKind::None,
        countries: Vec::new(),
    };
    let Some(geo) = geo_element(tree)? else {
        return Ok(none);
    };
    let Some(kind) = tree.child(geo, "RestrictionType")? else {
        return Ok(none);
    };
    let kind = match tree.text(kind)?.as_str() {
        "none" => GeoKind::None,
        "whitelist" => GeoKind::Allow,
        "blacklist" => GeoKind::Block,
        found => {
            return Err(DocumentError::UnknownRestriction {
                found: super::error::one_line(found),
            });
        }
    };
    let countries = match tree.child(geo, "Items")? {
        Some(items) => tree
            .children(items, "Location")
            .map(|location| tree.text(location).map(|code| code.to_ascii_uppercase()))
            .collect::<Result<_, _>>()?,
        None => Vec::new(),
    };
    Ok(GeoRestriction { kind, countries })
}

/// Replaces the bytes from `start` to `end` with `text`.
struct Edit {
    start: usize,
    end: usize,
    text: String,
}

impl Edit {
    /// Takes an element out.
    fn removing(element: &Element) -> Self {
        Self {
            start: element.outer.start,
            end: element.outer.end,
            text: String::new(),
        }
    }
}

fn geo_edits(tree: &Tree<'_>, wanted: &GeoRestriction) -> Result<Vec<Edit>, DocumentError> {
    let root = tree.root();
    let Some(restrictions) = tree.child(root, "Restrictions")? else {
        let prefix = root.prefix();
        let whole = wrapped(prefix, "Restrictions", &whole_geo(prefix, wanted));
        return Ok(vec![insert_into_root(tree, whole)?]);
    };
    let Some(geo) = tree.child(restrictions, "GeoRestriction")? else {
        let whole = whole_geo(restrictions.prefix(), wanted);
        return Ok(vec![insert_first(tree, restrictions, whole)]);
    };
    let prefix = geo.prefix();
    let kind = tree.child(geo, "RestrictionType")?;
    let quantity = tree.child(geo, "Quantity")?;
    let items = tree.child(geo, "Items")?;
    let (Some(kind), Some(quantity)) = (kind, quantity) else {
        // Not a document that CloudFront sends; whatever is there, the three members are made anew.
        return Ok(vec![replace_content(tree, geo, members(prefix, wanted))]);
    };
    let mut edits = vec![
        replace_content(tree, kind, wanted.kind.wire().to_owned()),
        replace_content(tree, quantity, wanted.countries.len().to_string()),
    ];
    match (items, wanted.countries.is_empty()) {
        (Some(items), true) => edits.push(Edit {
            start: items.outer.start,
            end: items.outer.end,
            text: String::new(),
        }),
        (Some(items), false) => edits.push(replace_content(
            tree,
            items,
            locations(items.prefix(), &wanted.countries),
        )),
        (None, true) => {}
        (None, false) => edits.push(Edit {
            start: quantity.outer.end,
            end: quantity.outer.end,
            text: wrapped(prefix, "Items", &locations(prefix, &wanted.countries)),
        }),
    }
    Ok(edits)
}

fn whole_geo(prefix: &str, wanted: &GeoRestriction) -> String {
    wrapped(prefix, "GeoRestriction", &members(prefix, wanted))
}

fn members(prefix: &str, wanted: &GeoRestriction) -> String {
    let mut text = wrapped(prefix, "RestrictionType", wanted.kind.wire());
    text += &wrapped(prefix, "Quantity", &wanted.countries.len().to_string());
    if !wanted.countries.is_empty() {
        text += &wrapped(prefix, "Items", &locations(prefix, &wanted.countries));
    }
    text
}

fn locations(prefix: &str, countries: &[String]) -> String {
    countries
        .iter()
        .map(|country| {
            wrapped(
                prefix,
                "Location",
                &quick_xml::escape::escape(country.as_str()),
            )
        })
        .collect()
}

fn wrapped(prefix: &str, name: &str, content: &str) -> String {
    format!("<{prefix}{name}>{content}</{prefix}{name}>")
}

/// After `ViewerCertificate`, else before the first member that the model lists later, else last.
fn insert_into_root(tree: &Tree<'_>, text: String) -> Result<Edit, DocumentError> {
    let root = tree.root();
    if let Some(certificate) = tree.child(root, "ViewerCertificate")? {
        let at = certificate.outer.end;
        return Ok(Edit {
            start: at,
            end: at,
            text,
        });
    }
    let before = AFTER_RESTRICTIONS
        .iter()
        .flat_map(|name| tree.children(root, name))
        .map(|element| element.outer.start)
        .min();
    match (before, &root.inner) {
        (Some(at), _) => Ok(Edit {
            start: at,
            end: at,
            text,
        }),
        (None, Some(inner)) => Ok(Edit {
            start: inner.end,
            end: inner.end,
            text,
        }),
        (None, None) => Ok(replace_content(tree, root, text)),
    }
}

fn insert_first(tree: &Tree<'_>, parent: &Element, text: String) -> Edit {
    match &parent.inner {
        Some(inner) => Edit {
            start: inner.start,
            end: inner.start,
            text,
        },
        None => replace_content(tree, parent, text),
    }
}

fn insert_last(tree: &Tree<'_>, parent: &Element, text: String) -> Edit {
    match &parent.inner {
        Some(inner) => Edit {
            start: inner.end,
            end: inner.end,
            text,
        },
        None => replace_content(tree, parent, text),
    }
}

/// Replaces what is between an element's tags; `<a/>` is opened for it.
fn replace_content(tree: &Tree<'_>, element: &Element, text: String) -> Edit {
    match &element.inner {
        Some(inner) => Edit {
            start: inner.start,
            end: inner.end,
            text,
        },
        None => Edit {
            start: tree.slash(element),
            end: element.outer.end,
            text: format!(">{text}</{}>", element.name),
        },
    }
}

#[cfg(test)]
mod tests;
