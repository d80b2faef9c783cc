//! The cache behaviors of a distribution as far as an event hangs things on them: the function of
//! viewer requests and the real-time log configuration. Edits change those members alone.

use super::tree::{Element, Tree};
use super::{
    AFTER_RESTRICTIONS, DistributionDocument, DocumentError, Edit, insert_last, replace_content,
    wrapped,
};

/// Members of a behavior that the API's model lists after `FunctionAssociations`, in its order.
const AFTER_FUNCTIONS: [&str; 10] = [
    "FieldLevelEncryptionId",
    "RealtimeLogConfigArn",
    "CachePolicyId",
    "OriginRequestPolicyId",
    "ResponseHeadersPolicyId",
    "GrpcConfig",
    "ForwardedValues",
    "MinTTL",
    "DefaultTTL",
    "MaxTTL",
];

const VIEWER_REQUEST: &str = "viewer-request";

/// One cache behavior.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Behavior {
    /// None for the default one.
    pub(crate) pattern: Option<String>,
    /// ARN of the function of viewer requests.
    pub(crate) function: Option<String>,
    /// Whether a Lambda function has a viewer event: then no function can be associated.
    pub(crate) has_viewer_lambda: bool,
    /// ARN of the real-time log configuration.
    pub(crate) realtime_logs: Option<String>,
}

impl Behavior {
    /// As differences name it: `behaviors.*.m3u8`, or `behaviors.default`.
    pub(crate) fn field(&self) -> String {
        format!("behaviors.{}", self.pattern.as_deref().unwrap_or("default"))
    }

    /// Whether the behavior's pattern fits a path, by CloudFront's rules: `*` is any text, `?` any one
    /// character, a leading slash may be left out, case matters.
    fn fits(&self, path: &str) -> bool {
        let Some(pattern) = &self.pattern else {
            return true;
        };
        let path = path.split('?').next().unwrap_or(path);
        let pattern: Vec<char> = pattern.trim_start_matches('/').chars().collect();
        let path: Vec<char> = path.trim_start_matches('/').chars().collect();
        is_match(&pattern, &path)
    }
}

/// Whether `text` is of the form `pattern`; in steps of pattern times text.
fn is_match(pattern: &[char], text: &[char]) -> bool {
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for part in pattern {
        if *part == '*' {
            let first = reached
                .iter()
                .position(|here| *here)
                .unwrap_or(reached.len());
            reached[first..].fill(true);
        } else {
            for at in (0..text.len()).rev() {
                reached[at + 1] = reached[at] && (*part == '?' || *part == text[at]);
            }
            reached[0] = false;
        }
    }
    reached[text.len()]
}

/// The behavior that serves a path: the first whose pattern fits, in the document's order; the default
/// one, which is last, fits all.
pub(crate) fn serving<'b>(behaviors: &'b [Behavior], path: &str) -> Option<&'b Behavior> {
    behaviors.iter().find(|behavior| behavior.fits(path))
}

impl DistributionDocument {
    /// Returns the behaviors in the order in which CloudFront tries them, the default one last.
    pub(crate) fn behaviors(&self) -> Result<Vec<Behavior>, DocumentError> {
        let tree = self.tree()?;
        let mut behaviors = Vec::new();
        for element in elements(&tree)? {
            behaviors.push(read(&tree, element)?);
        }
        Ok(behaviors)
    }

    /// Returns the comment.
    pub(crate) fn comment(&self) -> Result<String, DocumentError> {
        Ok(self.root_text("Comment")?.unwrap_or_default())
    }

    /// Returns the document with this web ACL's ARN; empty for none.
    pub(crate) fn with_web_acl(&self, arn: &str) -> Result<Self, DocumentError> {
        let tree = self.tree()?;
        let root = tree.root();
        let text = quick_xml::escape::escape(arn).into_owned();
        let edit = match tree.child(root, "WebACLId")? {
            Some(element) if tree.text(element)? == arn => return Ok(self.clone()),
            Some(element) => replace_content(&tree, element, text),
            None if arn.is_empty() => return Ok(self.clone()),
            None => insert(
                &tree,
                root,
                &AFTER_RESTRICTIONS[1..],
                wrapped(root.prefix(), "WebACLId", &text),
            ),
        };
        Ok(self.with_edits(vec![edit]))
    }

    /// Returns the document with this function on the viewer requests of one behavior, or with none
    /// there. Functions of other events stay.
    pub(crate) fn with_function(
        &self,
        pattern: Option<&str>,
        arn: Option<&str>,
    ) -> Result<Self, DocumentError> {
        let tree = self.tree()?;
        let Some(behavior) = find(&tree, pattern)? else {
            return Ok(self.clone());
        };
        if read(&tree, behavior)?.function.as_deref() == arn {
            return Ok(self.clone());
        }
        let prefix = behavior.prefix();
        let Some(list) = tree.child(behavior, "FunctionAssociations")? else {
            let Some(arn) = arn else {
                return Ok(self.clone());
            };
            let content = wrapped(prefix, "Quantity", "1")
                + &wrapped(prefix, "Items", &association(prefix, arn));
            let whole = wrapped(prefix, "FunctionAssociations", &content);
            return Ok(self.with_edits(vec![insert(&tree, behavior, &AFTER_FUNCTIONS, whole)]));
        };
        let items = tree.child(list, "Items")?;
        let all: Vec<&Element> = items
            .map(|items| tree.children(items, "FunctionAssociation").collect())
            .unwrap_or_default();
        let mut own = None;
        for one in &all {
            if event(&tree, one)?.as_deref() == Some(VIEWER_REQUEST) {
                own = Some(*one);
            }
        }
        let mut edits = Vec::new();
        let count = match (own, arn) {
            (Some(own), Some(arn)) => {
                match tree.child(own, "FunctionARN")? {
                    Some(element) => edits.push(replace_content(
                        &tree,
                        element,
                        quick_xml::escape::escape(arn).into_owned(),
                    )),
                    None => edits.push(replace_content(
                        &tree,
                        own,
                        association_members(prefix, arn),
                    )),
                }
                all.len()
            }
            (Some(own), None) => {
                let gone = match items {
                    Some(items) if all.len() == 1 => items,
                    _ => own,
                };
                edits.push(Edit::removing(gone));
                all.len() - 1
            }
            (None, Some(arn)) => {
                let text = association(prefix, arn);
                match items {
                    Some(items) => edits.push(insert_last(&tree, items, text)),
                    None => edits.push(insert_last(&tree, list, wrapped(prefix, "Items", &text))),
                }
                all.len() + 1
            }
            (None, None) => all.len(),
        };
        if let Some(quantity) = tree.child(list, "Quantity")? {
            edits.push(replace_content(&tree, quantity, count.to_string()));
        }
        Ok(self.with_edits(edits))
    }

    /// Returns the document with this real-time log configuration on one behavior, or with none.
    pub(crate) fn with_realtime_logs(
        &self,
        pattern: Option<&str>,
        arn: Option<&str>,
    ) -> Result<Self, DocumentError> {
        let tree = self.tree()?;
        let Some(behavior) = find(&tree, pattern)? else {
            return Ok(self.clone());
        };
        let present = tree.child(behavior, "RealtimeLogConfigArn")?;
        let text = |arn: &str| quick_xml::escape::escape(arn).into_owned();
        let edit = match (present, arn) {
            (Some(element), Some(arn)) if tree.text(element)? == arn => return Ok(self.clone()),
            (Some(element), Some(arn)) => replace_content(&tree, element, text(arn)),
            (Some(element), None) => Edit::removing(element),
            (None, Some(arn)) => insert(
                &tree,
                behavior,
                &AFTER_FUNCTIONS[2..],
                wrapped(behavior.prefix(), "RealtimeLogConfigArn", &text(arn)),
            ),
            (None, None) => return Ok(self.clone()),
        };
        Ok(self.with_edits(vec![edit]))
    }
}

/// The listed behaviors in order, then the default one.
fn elements<'t>(tree: &'t Tree<'_>) -> Result<Vec<&'t Element>, DocumentError> {
    let mut elements = Vec::new();
    if let Some(list) = tree.child(tree.root(), "CacheBehaviors")?
        && let Some(items) = tree.child(list, "Items")?
    {
        elements.extend(tree.children(items, "CacheBehavior"));
    }
    elements.extend(tree.child(tree.root(), "DefaultCacheBehavior")?);
    Ok(elements)
}

fn find<'t>(
    tree: &'t Tree<'_>,
    pattern: Option<&str>,
) -> Result<Option<&'t Element>, DocumentError> {
    for element in elements(tree)? {
        if pattern_of(tree, element)?.as_deref() == pattern {
            return Ok(Some(element));
        }
    }
    Ok(None)
}

fn pattern_of(tree: &Tree<'_>, element: &Element) -> Result<Option<String>, DocumentError> {
    tree.child(element, "PathPattern")?
        .map(|pattern| tree.text(pattern))
        .transpose()
}

fn read(tree: &Tree<'_>, element: &Element) -> Result<Behavior, DocumentError> {
    let mut function = None;
    for one in associations(tree, element, "FunctionAssociations", "FunctionAssociation")? {
        if event(tree, one)?.as_deref() == Some(VIEWER_REQUEST)
            && let Some(arn) = tree.child(one, "FunctionARN")?
        {
            function = Some(tree.text(arn)?);
        }
    }
    let mut has_viewer_lambda = false;
    let lambdas = associations(
        tree,
        element,
        "LambdaFunctionAssociations",
        "LambdaFunctionAssociation",
    )?;
    for one in lambdas {
        has_viewer_lambda |= event(tree, one)?.is_some_and(|event| event.starts_with("viewer-"));
    }
    let realtime_logs = tree
        .child(element, "RealtimeLogConfigArn")?
        .map(|arn| tree.text(arn))
        .transpose()?;
    Ok(Behavior {
        pattern: pattern_of(tree, element)?,
        function,
        has_viewer_lambda,
        realtime_logs: realtime_logs.filter(|arn| !arn.is_empty()),
    })
}

fn associations<'t>(
    tree: &'t Tree<'_>,
    behavior: &'t Element,
    list: &'static str,
    item: &'static str,
) -> Result<Vec<&'t Element>, DocumentError> {
    let Some(list) = tree.child(behavior, list)? else {
        return Ok(Vec::new());
    };
    Ok(tree
        .child(list, "Items")?
        .map(|items| tree.children(items, item).collect())
        .unwrap_or_default())
}

fn event(tree: &Tree<'_>, association: &Element) -> Result<Option<String>, DocumentError> {
    tree.child(association, "EventType")?
        .map(|event| tree.text(event))
        .transpose()
}

fn association(prefix: &str, arn: &str) -> String {
    wrapped(
        prefix,
        "FunctionAssociation",
        &association_members(prefix, arn),
    )
}

fn association_members(prefix: &str, arn: &str) -> String {
    wrapped(prefix, "FunctionARN", &quick_xml::escape::escape(arn))
        + &wrapped(prefix, "EventType", VIEWER_REQUEST)
}

/// Before the first of the members that the model lists later, else last.
fn insert(tree: &Tree<'_>, parent: &Element, later: &[&str], text: String) -> Edit {
    let before = later
        .iter()
        .flat_map(|name| tree.children(parent, name))
        .map(|element| element.outer.start)
        .min();
    match before {
        Some(at) => Edit {
            start: at,
            end: at,
            text,
        },
        None => insert_last(tree, parent, text),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FUNCTION: &str = "arn:aws:cloudfront::111122223333:function/gate";
    const CONFIG: &str = "arn:aws:cloudfront::111122223333:realtime-log-config/logs";

    fn document(xml: &str) -> DistributionDocument {
        DistributionDocument::new(xml)
    }

    fn text(document: &DistributionDocument) -> String {
        String::from_utf8(document.bytes().to_vec()).unwrap()
    }

    #[test]
    fn patterns_fit_as_cloudfront_fits_them() {
        for (pattern, path, fits) in [
            ("*.m3u8", "/cup/master.m3u8", true),
            ("*.m3u8", "/cup/master.M3U8", false),
            ("/cup/*", "/cup/", true),
            ("cup/*", "/cup/a/b", true),
            ("/c?p/*", "/cup/x", true),
            ("/c?p/*", "/cp/x", false),
            ("*a*b*", "/xxaxxbxx", true),
            ("*a*b*", "/xxbxxaxx", false),
            ("/x.ts", "/x.ts?token=1", true),
            ("", "/", true),
        ] {
            let behavior = Behavior {
                pattern: Some(pattern.to_owned()),
                function: None,
                has_viewer_lambda: false,
                realtime_logs: None,
            };
            assert_eq!(behavior.fits(path), fits, "{pattern} {path}");
        }
    }

    #[test]
    fn reads_behaviors_with_the_default_one_last() {
        let xml = format!(
            "<DistributionConfig><DefaultCacheBehavior><LambdaFunctionAssociations><Quantity>1</Quantity><Items><LambdaFunctionAssociation><EventType>viewer-response</EventType></LambdaFunctionAssociation></Items></LambdaFunctionAssociations></DefaultCacheBehavior><CacheBehaviors><Quantity>1</Quantity><Items><CacheBehavior><PathPattern>*.ts</PathPattern><FunctionAssociations><Quantity>1</Quantity><Items><FunctionAssociation><FunctionARN>{FUNCTION}</FunctionARN><EventType>viewer-request</EventType></FunctionAssociation></Items></FunctionAssociations><RealtimeLogConfigArn>{CONFIG}</RealtimeLogConfigArn></CacheBehavior></Items></CacheBehaviors></DistributionConfig>"
        );
        let behaviors = document(&xml).behaviors().unwrap();
        assert_eq!(behaviors.len(), 2);
        assert_eq!(behaviors[0].function.as_deref(), Some(FUNCTION));
        assert_eq!(behaviors[0].realtime_logs.as_deref(), Some(CONFIG));
        assert!(behaviors[1].has_viewer_lambda && behaviors[1].pattern.is_none());
        assert_eq!(
            serving(&behaviors, "/a/b.ts").unwrap().pattern.as_deref(),
            Some("*.ts")
        );
        assert_eq!(serving(&behaviors, "/a/b.m3u8").unwrap().pattern, None);
    }

    proptest! {
        #[test]
        fn attaching_and_detaching_restores_every_byte(
            before in "[ \n]{0,3}(<!-- x -->)?(<New a='1'/>)?",
            after in "(<CachePolicyId>p</CachePolicyId>)?(<Unheard/>)?[ \n]{0,3}",
            other in any::<bool>(), listed in any::<bool>(), prefix in prop_oneof![Just(""), Just("cf:")],
        ) {
            let root = if prefix.is_empty() { "xmlns='urn:cf'" } else { "xmlns:cf='urn:cf'" };
            let before = before.replace("<New", &format!("<{prefix}New"));
            let after = after.replace("</", "</§").replace('<', &format!("<{prefix}")).replace(&format!("<{prefix}/§"), &format!("</{prefix}"));
            let response = wrapped(prefix, "FunctionAssociation", &(wrapped(prefix, "FunctionARN", "arn:other") + &wrapped(prefix, "EventType", "viewer-response")));
            let functions = match (listed, other) {
                (false, _) => String::new(),
                (true, false) => wrapped(prefix, "FunctionAssociations", &wrapped(prefix, "Quantity", "0")),
                (true, true) => wrapped(prefix, "FunctionAssociations", &(wrapped(prefix, "Quantity", "1") + &wrapped(prefix, "Items", &response))),
            };
            let behavior = format!("{before}<{prefix}TargetOriginId>o</{prefix}TargetOriginId>{functions}{after}");
            let xml = format!("<{prefix}DistributionConfig {root}>{before}<{prefix}DefaultCacheBehavior>{behavior}</{prefix}DefaultCacheBehavior>{after}</{prefix}DistributionConfig>");
            let read = document(&xml);
            let attached = read.with_function(None, Some(FUNCTION)).unwrap().with_realtime_logs(None, Some(CONFIG)).unwrap();
            let behaviors = attached.behaviors().unwrap();
            prop_assert_eq!(behaviors[0].function.as_deref(), Some(FUNCTION));
            prop_assert_eq!(behaviors[0].realtime_logs.as_deref(), Some(CONFIG));
            prop_assert_eq!(text(&attached).contains("arn:other"), other && listed);
            // Attaching again writes nothing.
            prop_assert_eq!(&attached.with_function(None, Some(FUNCTION)).unwrap(), &attached);
            let detached = attached.with_function(None, None).unwrap().with_realtime_logs(None, None).unwrap();
            let expected = if listed { xml.clone() } else {
                // The list that was not there stays, empty.
                let empty = wrapped(prefix, "FunctionAssociations", &wrapped(prefix, "Quantity", "0"));
                text(&detached).replace(&empty, "")
            };
            if listed {
                prop_assert_eq!(text(&detached), expected);
            } else {
                prop_assert_eq!(expected, xml);
            }
        }

        #[test]
        fn a_web_acl_changes_nothing_else(old in "[a-z]{0,5}", new in "[a-z]{0,5}", tail in "(<Staging>false</Staging>)?") {
            let xml = format!("<DistributionConfig><Comment>c</Comment><WebACLId>{old}</WebACLId>{tail}</DistributionConfig>");
            let changed = document(&xml).with_web_acl(&new).unwrap();
            prop_assert_eq!(text(&changed), format!("<DistributionConfig><Comment>c</Comment><WebACLId>{new}</WebACLId>{tail}</DistributionConfig>"));
            prop_assert_eq!(text(&changed.with_web_acl(&old).unwrap()), xml);
        }
    }

    #[test]
    fn a_missing_web_acl_goes_where_the_model_has_it() {
        let xml = "<DistributionConfig><Enabled>true</Enabled><HttpVersion>http2</HttpVersion></DistributionConfig>";
        let changed = document(xml).with_web_acl("arn").unwrap();
        assert_eq!(
            text(&changed),
            "<DistributionConfig><Enabled>true</Enabled><WebACLId>arn</WebACLId><HttpVersion>http2</HttpVersion></DistributionConfig>"
        );
        assert_eq!(changed.comment().unwrap(), "");
    }
}
