//! Packages in git repositories, through the `git` program: the user's own keys, helpers and settings are its.

use std::path::Path;
use std::process::Command;

/// What of a repository is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    pub url: &'a str,
    /// A tag, a branch, a commit, or `HEAD`: the default branch.
    pub revision: &'a str,
    /// Only this folder of it.
    pub subdirectory: Option<&'a str>,
}

/// Why a checkout failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// There is no `git`, or it cannot be started.
    NoGit(String),
    /// The repository has no such tag, branch or commit.
    NoRevision,
    /// What git said last.
    Said(String),
}

/// Puts that revision into a folder, which does not exist yet, and says which commit it is. As little history as possible is
/// fetched. Where a tag and a branch have the same name, the tag is meant.
pub fn checkout(wanted: Wanted<'_>, into: &Path) -> Result<String, Fault> {
    let folder = into.to_string_lossy();
    git(None, &["init", "--quiet", "--", &folder])?;
    git(Some(into), &["remote", "add", "--", "origin", wanted.url])?;
    if let Some(subdirectory) = wanted.subdirectory {
        git(Some(into), &["sparse-checkout", "set", "--", subdirectory])?;
    }
    let partly: &[&str] = if wanted.subdirectory.is_some() { &["--filter=blob:none"] } else { &[] };
    let mut fetched = Err(Fault::NoRevision);
    for name in names(wanted.revision) {
        let words = [&["fetch", "--quiet", "--depth", "1"], partly, &["--", "origin", &name]].concat();
        fetched = git(Some(into), &words);
        if fetched != Err(Fault::NoRevision) {
            break;
        }
    }
    fetched?;
    git(Some(into), &["-c", "advice.detachedHead=false", "checkout", "--quiet", "--detach", "FETCH_HEAD"])?;
    git(Some(into), &["rev-parse", "HEAD"]).map(|sha| sha.trim().to_owned())
}

/// What a revision may be called on the other side, in the order to try.
fn names(revision: &str) -> Vec<String> {
    let is_commit = revision.len() == 40 && revision.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if is_commit || revision == "HEAD" {
        return vec![revision.to_owned()];
    }
    vec![format!("refs/tags/{revision}"), format!("refs/heads/{revision}")]
}

fn git(folder: Option<&Path>, words: &[&str]) -> Result<String, Fault> {
    let mut command = Command::new("git");
    if let Some(folder) = folder {
        command.current_dir(folder);
    }
    // A repository that the caller works in (a hook, say) must not be taken for the package's.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(name);
    }
    let output = command.args(words).env("LC_ALL", "C").output().map_err(|error| Fault::NoGit(error.to_string()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let missing = ["couldn't find remote ref", "not our ref", "no such remote ref", "not a valid object name"];
    if missing.iter().any(|text| said.contains(text)) {
        return Err(Fault::NoRevision);
    }
    Err(Fault::Said(said.trim().to_owned()))
}
