//! Colours of the console: a few, and none where they are not wanted.

/// What a piece of text means; the terminal's own colours show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Good,
    Caution,
    Bad,
    Quiet,
    Strong,
}

/// Paints or doesn't.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Painter {
    pub colors: bool,
}

impl Painter {
    pub(super) fn paint(self, style: Style, text: &str) -> String {
        if !self.colors || text.is_empty() {
            return text.to_owned();
        }
        let code = match style {
            Style::Good => "32",
            Style::Caution => "33",
            Style::Bad => "31",
            Style::Quiet => "2",
            Style::Strong => "1",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}
