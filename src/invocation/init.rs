//! `init`: a new project, or within one a profile for it. At a terminal it asks, as dbt does; without one it never waits.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::cli::{Command, Outcome, Request, terminal};
use crate::diagnostic::Diagnostic;
use crate::event::{Event, Events};
use crate::fs::FileSystem;
use crate::manifest::JsonMap;
use crate::project::{self, Ask, Filled, PROFILES_FILE, PROJECT_FILE, TEMPLATE_FILE};

pub fn init(fs: &dyn FileSystem, cwd: &Path, request: &Request, env: HashMap<String, String>) -> Outcome {
    let options = super::settings::load_options(request, env.clone());
    let reporter = crate::report::Reporter::new(super::settings::report_options(None, &options, cwd));
    let home = env.get("HOME").or_else(|| env.get("USERPROFILE")).map(PathBuf::from);
    let mut init = Init { fs, cwd, request, home, events: reporter.events(), ask: terminal() };
    let done = init.run();
    let outcome = match &done {
        Ok(_) => Outcome::Success,
        Err(diagnostic) => {
            init.events.emit(Event::Diagnostic(diagnostic.clone()));
            Outcome::Unusable
        }
    };
    reporter.finish();
    if let Ok(Some(folder)) = done
        && !request.is("skip_debug")
        && std::env::set_current_dir(&folder).is_ok()
    {
        // What is wrong with the profile has been told; the project is there.
        let mut given = request.given.clone();
        given.remove("profile");
        let debug = Request { command: Command::Debug, words: Vec::new(), given, ..request.clone() };
        super::run(&debug, env);
    }
    outcome
}

struct Init<'a> {
    fs: &'a dyn FileSystem,
    cwd: &'a Path,
    request: &'a Request,
    home: Option<PathBuf>,
    events: Events,
    ask: Option<Box<dyn Ask>>,
}

impl Init<'_> {
    /// Gives the folder whose profile was set up.
    fn run(&mut self) -> Result<Option<PathBuf>, Box<Diagnostic>> {
        match self.project_around() {
            Some(folder) => self.within(&folder),
            None => self.outside(),
        }
    }

    /// The nearest folder upward that is a project.
    fn project_around(&self) -> Option<PathBuf> {
        let start = self.request.text("project_dir").map_or_else(|| self.cwd.to_owned(), |folder| self.cwd.join(folder));
        start.ancestors().find(|folder| self.fs.exists(&folder.join(PROJECT_FILE))).map(Path::to_path_buf)
    }

    fn within(&mut self, folder: &Path) -> Result<Option<PathBuf>, Box<Diagnostic>> {
        if self.request.text("profile").is_some() {
            let message = "Can not init existing project with specified profile, edit dbt_project.yml instead";
            return Err(Box::new(Diagnostic::error("E0809", message).help("or run init outside of a project")));
        }
        if self.request.is("skip_profile_setup") {
            return Ok(None);
        }
        let text = self.read(&folder.join(PROJECT_FILE)).unwrap_or_default();
        let Some(profile) = project::profile_of(&text) else {
            let message = format!("{} names no profile", folder.join(PROJECT_FILE).display());
            return Err(Box::new(Diagnostic::error("E0809", message).help("add a line like: profile: my_profile")));
        };
        if self.ask.is_none() {
            let message = format!("this folder is a project already: a profile '{profile}' can be set up at a terminal only");
            let help = format!("write {PROFILES_FILE} by hand, or run init outside of a project to make a new one");
            return Err(Box::new(Diagnostic::error("E0809", message).help(help)));
        }
        Ok(self.set_up_profile(folder, &profile)?.then(|| folder.to_path_buf()))
    }

    fn outside(&mut self) -> Result<Option<PathBuf>, Box<Diagnostic>> {
        let name = self.name()?;
        let folder = self.cwd.join(&name);
        if self.fs.exists(&folder) {
            let message = format!("A project called {name} already exists here.");
            return Err(Box::new(Diagnostic::error("E0809", message).help("choose another name, or another folder")));
        }
        let profile = self.request.text("profile");
        if let Some(profile) = profile.filter(|profile| !self.knows_profile(profile)) {
            let message = format!("Could not find profile named '{profile}'");
            let help = format!("it must be in {}; leave --profile out to set one up", self.profiles_file().display());
            return Err(Box::new(Diagnostic::error("E0113", message).help(help)));
        }
        for (path, text) in project::init(&name, profile)? {
            self.write(&folder.join(path), &text)?;
        }
        let asks = profile.is_none() && !self.request.is("skip_profile_setup") && self.ask.is_some();
        let ready = profile.is_some() || (asks && self.set_up_profile(&folder, &name)?);
        let text = format!("Your new project \"{name}\" was created!\n\n  cd {name}\n  lineal build\n");
        self.note("ProjectCreated", "A026", text);
        Ok(ready.then_some(folder))
    }

    /// The word of the command line, else an answer; asked again until it can be a project's name.
    fn name(&mut self) -> Result<String, Box<Diagnostic>> {
        let mut name = self.request.words.first().cloned();
        loop {
            let fault = match &name {
                Some(name) => match project::check_name(name) {
                    Ok(()) => return Ok(name.clone()),
                    Err(fault) => fault,
                },
                None => Box::new(
                    Diagnostic::error("E0807", "init needs the name of the new project")
                        .help("for example: lineal init my_project"),
                ),
            };
            let Some(ask) = &mut self.ask else { return Err(fault) };
            if let Some(name) = &name {
                ask.say(&format!("{name} is not a valid project name."));
            }
            name = ask.line("Enter a name for your project (letters, digits, underscore): ", false);
            if name.is_none() {
                return Err(fault);
            }
            name = name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        }
    }

    /// The profiles.yml that dbt would use: of the folder asked for, else the current one, else `~/.dbt`.
    fn profiles_file(&self) -> PathBuf {
        let asked = self.request.text("profiles_dir").map(|folder| self.cwd.join(folder));
        let here = Some(self.cwd.to_owned()).filter(|folder| self.fs.exists(&folder.join(PROFILES_FILE)));
        let of_user = self.home.as_ref().map(|home| home.join(".dbt"));
        asked.or(here).or(of_user).unwrap_or_else(|| self.cwd.to_owned()).join(PROFILES_FILE)
    }

    fn knows_profile(&self, name: &str) -> bool {
        self.read(&self.profiles_file()).is_some_and(|file| project::has_profile(&file, name))
    }

    /// Asks for the profile of a project and writes it. False where it was not to be written.
    fn set_up_profile(&mut self, folder: &Path, name: &str) -> Result<bool, Box<Diagnostic>> {
        self.note("SettingUpProfile", "A023", "Setting up your profile.".to_owned());
        let path = self.profiles_file();
        let file = self.read(&path);
        let template = self.read(&folder.join(TEMPLATE_FILE));
        let Some(ask) = self.ask.as_deref_mut() else { return Ok(false) };
        if file.as_ref().is_some_and(|file| project::has_profile(file, name)) {
            let question = format!("The profile {name} already exists in {}. Continue and overwrite it?", path.display());
            if project::confirm(ask, &question) != Some(true) {
                return Ok(false);
            }
        }
        let (mut profile, mut source, mut invalid) = (None, "your answers", false);
        if let Some(template) = template {
            match project::fill(&template, ask) {
                Filled::Done(text) => (profile, source) = (Some(text), "the project's profile_template.yml and your answers"),
                Filled::Invalid => {
                    ask.say("profile_template.yml cannot be used; these are the database's own questions.");
                    invalid = true;
                }
                Filled::Unanswered => return Err(Box::new(unanswered())),
            }
        }
        let profile = match profile {
            Some(profile) => profile,
            None => project::ask_for_profile(ask).ok_or_else(|| Box::new(unanswered()))?,
        };
        if invalid {
            self.note("InvalidProfileTemplateYAML", "A024", "Invalid profile_template.yml in project.".to_owned());
        }
        self.write(&path, &project::with_profile(file.as_deref(), name, &profile))?;
        let text = format!("Profile {name} written to {} using {source}.", path.display());
        self.note("ProfileWrittenWithTargetTemplateYAML", "A021", text);
        Ok(true)
    }

    fn read(&self, path: &Path) -> Option<String> {
        String::from_utf8(self.fs.read(path).ok()?).ok()
    }

    fn write(&self, path: &Path, text: &str) -> Result<(), Box<Diagnostic>> {
        let fault = |error: std::io::Error| Diagnostic::error("E0805", format!("{} cannot be written: {error}", path.display()));
        self.fs.write(path, text.as_bytes()).map_err(|error| Box::new(fault(error)))
    }

    fn note(&self, name: &'static str, code: &'static str, text: String) {
        self.events.emit(Event::Note { name, code, level: "info", text, data: JsonMap::new() });
    }
}

fn unanswered() -> Diagnostic {
    let message = "the questions were not answered: no profile was written";
    Diagnostic::error("E0809", message).help("run init again in the project's folder")
}
