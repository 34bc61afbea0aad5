//! Takes out of texts what belongs to a machine or must not be shown: secrets, the project's folder, the user's home.

use std::path::Path;
use std::sync::Arc;

use crate::artifacts::PastRun;
use crate::manifest::{Json, JsonMap};
use crate::project::Project;
use crate::text::replace_bounded;

/// Keys of a profile whose values are secrets.
const SECRET_KEYS: [&str; 7] = ["password", "pass", "token", "secret", "key", "passphrase", "keyfile_json"];

#[derive(Debug, Default)]
pub struct Scrub {
    secrets: Vec<String>,
    /// Folders and what is shown for them, the longest first.
    folders: Vec<(String, String)>,
}

impl Scrub {
    pub fn new(project: &Project) -> Self {
        let mut secrets = project.invocation.secrets.clone();
        collect_secrets(&Json::Object(project.profile.credentials.clone()), false, &mut secrets);
        secrets.retain(|secret| secret.trim().len() > 3);
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        let home = project.invocation.env.get("HOME").map(String::as_str).unwrap_or_default();
        let folder = |path: &Path| path.to_string_lossy().trim_end_matches('/').to_owned();
        let mut folders = vec![(folder(&project.root), ".".to_owned()), (folder(Path::new(home)), "~".to_owned())];
        folders.extend(places(&project.profile.credentials));
        folders.retain(|(folder, _)| folder.len() > 1);
        folders.sort_by_key(|(folder, _)| std::cmp::Reverse(folder.len()));
        Self { secrets, folders }
    }

    /// A message, or a text of code.
    pub fn text(&self, text: &str) -> String {
        let mut text = self.secrets(text.to_owned());
        for (folder, shown) in &self.folders {
            if text.contains(folder.as_str()) {
                text = replace_folder(&text, folder, shown);
            }
        }
        text
    }

    pub fn code(&self, code: &Arc<str>) -> Arc<str> {
        let touched =
            self.secrets.iter().chain(self.folders.iter().map(|(folder, _)| folder)).any(|part| code.contains(part.as_str()));
        if touched { self.text(code).into() } else { code.clone() }
    }

    /// Secrets alone: the last look at every page.
    pub fn secrets(&self, mut text: String) -> String {
        for secret in &self.secrets {
            for written in [secret.as_str(), &super::html::escape(secret)] {
                if text.contains(written) {
                    text = text.replace(written, "*****");
                }
            }
        }
        text
    }

    pub fn run(&self, mut run: PastRun) -> PastRun {
        for result in &mut run.results {
            let clean = result.message.as_deref().map(|message| self.text(message));
            if clean != result.message {
                Arc::make_mut(result).message = clean;
            }
        }
        run
    }
}

/// Whole paths that the profile gives, of a database's file for example: their last names say enough.
fn places(credentials: &JsonMap) -> impl Iterator<Item = (String, String)> {
    let paths = credentials.values().filter_map(Json::as_str).map(Path::new).filter(|path| path.is_absolute());
    paths.filter_map(|path| Some((path.to_string_lossy().into_owned(), path.file_name()?.to_string_lossy().into_owned())))
}

fn collect_secrets(value: &Json, secret: bool, into: &mut Vec<String>) {
    match value {
        Json::String(text) if secret => into.push(text.clone()),
        Json::Object(map) => {
            for (key, value) in map {
                let key = key.to_lowercase();
                let named = SECRET_KEYS.iter().any(|name| key == *name || key.ends_with(&format!("_{name}")));
                collect_secrets(value, named, into);
            }
        }
        Json::Array(items) => items.iter().for_each(|item| collect_secrets(item, secret, into)),
        _ => {}
    }
}

/// Where the folder stands as a whole path, not within another word.
fn replace_folder(text: &str, folder: &str, shown: &str) -> String {
    let joins = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | '/' | ':');
    let goes_on = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-');
    replace_bounded(text, folder, shown, |before, after| !before.ends_with(joins) && !after.starts_with(goes_on))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_secrets_go() {
        let scrub = Scrub {
            secrets: vec!["h<sh".to_owned()],
            folders: vec![("/srv/app".to_owned(), ".".to_owned()), ("/srv".to_owned(), "~".to_owned())],
        };
        assert_eq!(scrub.text("no file \"/srv/app/x.db\", h<sh"), "no file \"./x.db\", *****");
        assert_eq!(scrub.text("https://a/srv/app and /srv/apple and /srv"), "https://a/srv/app and ~/apple and ~");
        assert_eq!(scrub.secrets("h&lt;sh".to_owned()), "*****");
    }
}
