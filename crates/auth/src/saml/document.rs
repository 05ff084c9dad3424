//! Reading XML of others: bounded, without document types, in one canonical form.

use bergshamra::c14n::{C14nMode, canonicalize};
use roxmltree::{Document, Node, ParsingOptions};

use super::SamlError;

/// The most bytes of a document.
const MOST_BYTES: usize = 512 * 1024;
/// The most nodes of a document, and how deep they may be nested.
const MOST_NODES: u32 = 20_000;
const DEEPEST: usize = 60;

pub(super) const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
pub(super) const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
pub(super) const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
pub(super) const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";

/// The canonical text of a document: comments, entities, CDATA and declarations are gone, namespaces are kept.
pub(super) fn canonical(xml: &str) -> Result<String, SamlError> {
    let unreadable = || SamlError::new("the document can't be read as XML");
    if xml.len() > MOST_BYTES {
        return Err(SamlError::new("the document is too large"));
    }
    if xml.contains("<!DOCTYPE") || xml.contains("<!ENTITY") {
        return Err(SamlError::new("a document type is not accepted"));
    }
    // Read once within bounds, so that what follows, which nests its calls, can't be led too deep.
    parse(xml)?;
    let bytes = canonicalize::<&str>(xml, C14nMode::Inclusive, None, &[]).map_err(|_| unreadable())?;
    String::from_utf8(bytes).map_err(|_| unreadable())
}

/// Reads a document within bounds.
pub(super) fn parse(xml: &str) -> Result<Document<'_>, SamlError> {
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: MOST_NODES,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(xml, options)
        .map_err(|_| SamlError::new("the document can't be read as XML"))?;
    let mut depth = 0_usize;
    let mut node = document.root_element();
    // Depth first without nesting calls.
    'walk: loop {
        if let Some(child) = node.first_element_child() {
            depth += 1;
            if depth > DEEPEST {
                return Err(SamlError::new("the document is nested too deeply"));
            }
            node = child;
            continue;
        }
        loop {
            if let Some(next) = node.next_sibling_element() {
                node = next;
                continue 'walk;
            }
            match node.parent_element() {
                Some(parent) if depth > 0 => {
                    depth -= 1;
                    node = parent;
                }
                _ => break 'walk,
            }
        }
    }
    Ok(document)
}

/// The children of an element with this name.
pub(super) fn children<'a>(
    node: Node<'a, 'a>,
    namespace: &'static str,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'a>> {
    node.children()
        .filter(move |child| child.has_tag_name((namespace, name)))
}

/// The one child with this name; `None` when there is none, an error when there are several.
pub(super) fn child<'a>(
    node: Node<'a, 'a>,
    namespace: &'static str,
    name: &'static str,
) -> Result<Option<Node<'a, 'a>>, SamlError> {
    let mut found = children(node, namespace, name);
    match (found.next(), found.next()) {
        (first, None) => Ok(first),
        _ => Err(SamlError(format!("there is more than one {name}"))),
    }
}

/// The text of an element that holds nothing but text.
pub(super) fn text<'a>(node: Node<'a, 'a>) -> Result<&'a str, SamlError> {
    if node.children().any(|child| !child.is_text()) || node.children().count() > 1 {
        return Err(SamlError(format!(
            "{} holds more than text",
            node.tag_name().name()
        )));
    }
    Ok(node.text().unwrap_or_default().trim())
}
