//! Markdown of the project as HTML. It is untrusted: HTML in it is shown as text, links lead only where a reader may be led,
//! and pictures come from the site's own folder.

use std::borrow::Cow;

use pulldown_cmark::{CowStr, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd, html};

use super::html::escape;

/// Where a text is shown, and where its links may lead.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The way to the site's folder: `../../`.
    pub root: &'a str,
    /// The page of a unique id: dbt's `#!/model/model.shop.orders` becomes a link to it.
    pub page: &'a dyn Fn(&str) -> Option<String>,
}

/// A whole text. Its headings begin below those of the page.
pub fn render(text: &str, place: Place) -> String {
    if text.trim().is_empty() {
        return String::new();
    }
    // Most descriptions are a plain sentence.
    if is_plain(text) {
        return format!("<p>{}</p>\n", escape(text.trim()));
    }
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut events = Vec::new();
    // Ends of links and pictures that became something else.
    let mut closing: Vec<Option<Event>> = Vec::new();
    for event in Parser::new_ext(text, options) {
        match event {
            Event::Html(html) | Event::InlineHtml(html) => events.push(Event::Text(html)),
            Event::Start(Tag::HtmlBlock) => events.push(Event::Start(Tag::Paragraph)),
            Event::End(TagEnd::HtmlBlock) => events.push(Event::End(TagEnd::Paragraph)),
            Event::Start(Tag::Heading { level, .. }) => events.push(Event::Start(heading(lower(level)))),
            Event::End(TagEnd::Heading(level)) => events.push(Event::End(TagEnd::Heading(lower(level)))),
            Event::Start(Tag::Link { dest_url, title, .. }) => match link(&dest_url, place) {
                Some(to) => {
                    events.push(Event::Start(inline_link(to, title)));
                    closing.push(Some(Event::End(TagEnd::Link)));
                }
                None => closing.push(None),
            },
            Event::Start(Tag::Image { dest_url, title, id, link_type }) => {
                let (start, end) = picture(&dest_url, title, id, link_type, place);
                events.extend(start);
                closing.push(end);
            }
            Event::End(TagEnd::Link | TagEnd::Image) => events.extend(closing.pop().flatten()),
            other => events.push(other),
        }
    }
    let mut out = String::with_capacity(text.len() * 3 / 2);
    html::push_html(&mut out, events.into_iter());
    // Wide tables scroll by themselves, not the page; a scrolling region has to be reachable by key.
    out.replace("<table>", "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table\"><table>")
        .replace("</table>", "</table></div>")
}

/// The first sentence or so, without any markup: for lists and `<meta name=description>`.
pub fn summary(text: &str, longest: usize) -> String {
    let plain = if is_plain(text) { Cow::Borrowed(text) } else { Cow::Owned(first_paragraph(text, longest)) };
    let plain = plain.trim();
    if plain.chars().count() <= longest {
        return plain.to_owned();
    }
    let cut: String = plain.chars().take(longest).collect();
    let end = cut.rfind(' ').filter(|end| *end > longest / 2).unwrap_or(cut.len());
    format!("{}…", cut[..end].trim_end_matches([',', ';', ':', ' ']))
}

/// The texts of the first paragraph, or enough of them.
fn first_paragraph(text: &str, longest: usize) -> String {
    let mut plain = String::new();
    for event in Parser::new(text) {
        match event {
            Event::Text(text) | Event::Code(text) => plain.push_str(&text),
            Event::SoftBreak | Event::HardBreak => plain.push(' '),
            Event::End(TagEnd::Paragraph | TagEnd::Heading(_)) if !plain.is_empty() => break,
            _ => {}
        }
        if plain.len() > longest * 4 {
            break;
        }
    }
    plain
}

/// No letter in it means anything to Markdown.
fn is_plain(text: &str) -> bool {
    let special = |byte: u8| matches!(byte, b'*' | b'_' | b'`' | b'[' | b'<' | b'&' | b'\\' | b'\n' | b'~' | b'|' | b'#' | b'!');
    let text = text.trim();
    !text.bytes().any(special)
        && !text.starts_with(|first: char| matches!(first, '-' | '+' | '>' | '=') || first.is_ascii_digit())
}

fn lower(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 | HeadingLevel::H2 => HeadingLevel::H3,
        HeadingLevel::H3 => HeadingLevel::H4,
        HeadingLevel::H4 => HeadingLevel::H5,
        _ => HeadingLevel::H6,
    }
}

fn heading(level: HeadingLevel) -> Tag<'static> {
    Tag::Heading { level, id: None, classes: Vec::new(), attrs: Vec::new() }
}

fn inline_link(to: String, title: CowStr<'_>) -> Tag<'_> {
    Tag::Link { link_type: LinkType::Inline, dest_url: to.into(), title, id: CowStr::Borrowed("") }
}

/// Where a link may lead: the web, mail, a place on the page, a page of the site, a file beside the site.
fn link(to: &str, place: Place) -> Option<String> {
    if let Some(legacy) = to.strip_prefix("#!/") {
        let id = legacy.split('/').nth(1)?.split(['?', '#']).next()?;
        return (place.page)(id).map(|url| format!("{}{url}", place.root));
    }
    if to.starts_with('#') {
        return Some(to.to_owned());
    }
    match scheme(to) {
        Some(scheme) => matches!(scheme.as_str(), "http" | "https" | "mailto").then(|| to.to_owned()),
        None => beside(to, place),
    }
}

/// A picture from the site's folder; one from elsewhere becomes a link, so that nothing is loaded from there.
fn picture<'a>(
    to: &str,
    title: CowStr<'a>,
    id: CowStr<'a>,
    link_type: LinkType,
    place: Place,
) -> (Option<Event<'a>>, Option<Event<'a>>) {
    if let (None, Some(path)) = (scheme(to), beside(to, place)) {
        let tag = Tag::Image { link_type, dest_url: path.into(), title, id };
        return (Some(Event::Start(tag)), Some(Event::End(TagEnd::Image)));
    }
    match link(to, place) {
        Some(to) => (Some(Event::Start(inline_link(to, title))), Some(Event::End(TagEnd::Link))),
        None => (None, None),
    }
}

/// A file that lies beside manifest.json: the project's `asset-paths` are copied there.
fn beside(to: &str, place: Place) -> Option<String> {
    let is_inside = !to.starts_with(['/', '\\']) && !to.is_empty() && !to.split(['/', '\\']).any(|part| part == "..");
    is_inside.then(|| format!("{}../{}", place.root, to.trim_start_matches("./")))
}

/// The scheme of an address, in lower case: letters that browsers skip do not hide it.
fn scheme(to: &str) -> Option<String> {
    let text: String = to.chars().filter(|letter| !letter.is_control() && !letter.is_whitespace()).collect();
    if text.starts_with("//") {
        return Some("//".to_owned());
    }
    let (scheme, _) = text.split_once(':')?;
    (!scheme.contains(['/', '?', '#'])).then(|| scheme.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(text: &str) -> String {
        let page = |id: &str| (id == "model.shop.orders").then(|| "node/shop/orders.html".to_owned());
        render(text, Place { root: "../", page: &page })
    }

    #[test]
    fn markdown_is_rendered() {
        assert_eq!(html("plain & simple, 3 < 4"), "<p>plain &amp; simple, 3 &lt; 4</p>\n");
        assert_eq!(html("**bold** and `code`"), "<p><strong>bold</strong> and <code>code</code></p>\n");
        assert_eq!(html("# Title"), "<h3>Title</h3>\n");
        assert!(html("|a|b|\n|-|-|\n|1|2|").contains("<td>1</td>"));
    }

    #[test]
    fn html_is_shown_as_text() {
        for text in ["<script>alert(1)</script>", "a <img src=x onerror=alert(1)> b", "<svg/onload=alert(1)>\n\n<b>x</b>"] {
            let html = html(text);
            assert!(
                !html.contains("<script") && !html.contains("<img") && !html.contains("<svg") && !html.contains("<b>"),
                "{html}"
            );
            assert!(html.contains("&lt;"), "{html}");
        }
    }

    #[test]
    fn links_lead_to_safe_places_only() {
        for bad in
            ["javascript:alert(1)", "JaVa\tScript:alert(1)", "data:text/html,x", "vbscript:x", "//evil", "../../secret", "/etc"]
        {
            let html = html(&format!("[x](<{bad}>)"));
            assert_eq!(html, "<p>x</p>\n", "{bad}");
        }
        assert_eq!(html("[x](https://a.b/?c=d&e)"), "<p><a href=\"https://a.b/?c=d&amp;e\">x</a></p>\n");
        assert_eq!(html("[x](#!/model/model.shop.orders)"), "<p><a href=\"../node/shop/orders.html\">x</a></p>\n");
    }

    #[test]
    fn pictures_come_from_the_folder() {
        assert_eq!(html("![map](assets/map.png)"), "<p><img src=\"../../assets/map.png\" alt=\"map\" /></p>\n");
        assert_eq!(html("![map](https://a.b/c.png)"), "<p><a href=\"https://a.b/c.png\">map</a></p>\n");
        assert_eq!(html("![map](javascript:x)"), "<p>map</p>\n");
    }

    #[test]
    fn summaries_are_plain() {
        assert_eq!(summary("**One** row for `each`\norder.\n\nMore.", 80), "One row for each order.");
        assert_eq!(summary("one two three four", 10), "one two…");
    }
}
