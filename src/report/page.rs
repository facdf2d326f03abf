//! What the finished HTML gets around its body: contents, style for screen and print, the fonts.

use crate::error::Error;
use crate::figures::font::{self, Weight};
use std::collections::BTreeSet;

/// Marks in the page template that are filled after rendering.
pub const CONTENTS: &str = "<!--contents-->";
pub const FONTS: &str = "/*fonts*/";

/// Fills the contents and embeds the fonts; a character that the fonts lack is an error.
pub fn finish(html: &str, labels: [&str; 3]) -> Result<String, Error> {
    let html = html.replace(CONTENTS, &contents(html, labels));
    let mut place = "report".to_owned();
    let mut used = BTreeSet::new();
    for (tag, text) in pieces(&html) {
        if let Some(id) = attribute(tag, "id") {
            place = format!("report, at {id}");
        }
        if tag.starts_with("style") {
            continue;
        }
        let text = unescape(text);
        font::check(&text, &place)?;
        used.extend(text.chars());
    }
    // Texts that the style sheet prints (page footers).
    used.extend(' '..='~');
    let faces = format!("{}{}", font::face(Weight::Regular, &used)?, font::face(Weight::Bold, &used)?);
    Ok(html.replacen(FONTS, &faces, 1))
}

/// Headings, then tables, then figures, as links.
fn contents(html: &str, [sections, tables, figures]: [&str; 3]) -> String {
    let mut lists = [String::new(), String::new(), String::new()];
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        rest = &rest[start..];
        let Some(end) = rest.find('>') else { break };
        let tag = &rest[1..end];
        let (list, close) = match tag.split([' ', '>']).next().unwrap_or("") {
            "h2" => (0, "</h2>"),
            "h3" => (0, "</h3>"),
            "caption" => (1, "</caption>"),
            "figcaption" => (2, "</figcaption>"),
            _ => {
                rest = &rest[end + 1..];
                continue;
            }
        };
        let inner = &rest[end + 1..];
        let Some(stop) = inner.find(close) else { break };
        let text = strip(&inner[..stop]);
        if attribute(tag, "class") == Some("unlisted") {
            // The heading of the contents themselves.
        } else if let Some(id) = attribute(tag, "id") {
            let class = if tag.starts_with("h3") { " class=\"sub\"" } else { "" };
            lists[list].push_str(&format!("<li{class}><a href=\"#{id}\">{text}</a></li>\n"));
        }
        rest = &inner[stop..];
    }
    let mut out = String::new();
    for (list, title) in lists.iter().zip([sections, tables, figures]) {
        if !list.is_empty() {
            out.push_str(&format!("<p class=\"contents\"><b>{title}</b></p>\n<ul class=\"contents\">\n{list}</ul>\n"));
        }
    }
    out
}

/// Text without tags; the part after a `<small` (notes in a caption) is left out.
fn strip(html: &str) -> String {
    let html = html.split("<small").next().unwrap_or(html);
    let text: String = html.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    tag[start..].split('"').next()
}

/// Each tag with the text behind it.
fn pieces(html: &str) -> impl Iterator<Item = (&str, &str)> {
    html.split('<').map(|part| part.split_once('>').unwrap_or(("", part)))
}

/// Every value that an attribute has in the page.
pub fn values(html: &str, name: &str) -> BTreeSet<String> {
    pieces(html).filter_map(|(tag, _)| attribute(tag, name)).map(unescape).collect()
}

fn unescape(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    text.replace("&#x27;", "'").replace("&#39;", "'").replace("&apos;", "'").replace("&amp;", "&")
}

/// A text as a CSS string.
pub fn css_string(text: &str) -> String {
    let escape = |c: char| match c {
        '"' | '\\' | '<' | '>' | '&' | '\n' | '\r' => format!("\\{:x} ", c as u32),
        c => c.to_string(),
    };
    format!("\"{}\"", text.chars().map(escape).collect::<String>())
}
