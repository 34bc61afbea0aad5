//! `init`'s questions about a profile: which database, and what its template asks for; and the text of profiles.yml with the
//! answers. Where questions are asked and where answers come from is the caller's.

use std::fmt::Write as _;

use crate::diagnostic::SourceText;
use crate::manifest::{Json, JsonMap};
use crate::yaml::{self, Kind, Yaml};

/// Someone who answers.
pub trait Ask {
    /// A line, without its end; `hidden` ones are not shown as they are typed. None where there will be no answer.
    fn line(&mut self, prompt: &str, hidden: bool) -> Option<String>;
    /// Something to read before the next question.
    fn say(&mut self, text: &str);
}

/// The file in a project's folder that asks instead of the database's own template.
pub const TEMPLATE_FILE: &str = "profile_template.yml";

/// The databases that can be chosen, each with its template; None: a profile that needs no answers.
const DATABASES: [(&str, Option<&str>); 2] = [("duckdb", None), ("postgres", Some(POSTGRES))];

const POSTGRES: &str = "fixed: {type: postgres}
prompts:
  host: {hint: the server's name}
  port: {default: 5432, type: int}
  user: {hint: your user's name}
  pass: {hint: that user's password, hide_input: true}
  dbname: {hint: the database in which everything is built}
  schema: {hint: the schema in which everything is built}
  threads: {hint: 1 or more, type: int, default: 1}
";

/// Two targets, each on a file of its own.
const DUCKDB: &str = "  outputs:
    dev:
      type: duckdb
      path: dev.duckdb
      threads: 1

    prod:
      type: duckdb
      path: prod.duckdb
      threads: 4

  target: dev
";

/// Asks which database, and what its template wants to know. The profile's text below its name; None without answers.
pub fn ask_for_profile(ask: &mut dyn Ask) -> Option<String> {
    let mut question = "Which database would you like to use?\n".to_owned();
    for (number, (name, _)) in DATABASES.iter().enumerate() {
        let _ = writeln!(question, "[{}] {name}", number + 1);
    }
    question.push_str("\nEnter a number");
    let chosen = choose(ask, &question, DATABASES.len())?;
    match DATABASES[chosen].1 {
        None => Some(DUCKDB.to_owned()),
        Some(template) => match fill(template, ask) {
            Filled::Done(text) => Some(text),
            Filled::Invalid | Filled::Unanswered => None,
        },
    }
}

/// What came of a template.
pub enum Filled {
    Done(String),
    /// It is no template.
    Invalid,
    Unanswered,
}

/// Asks what a template's text wants to know. Gives the profile's text below its name.
pub fn fill(template: &str, ask: &mut dyn Ask) -> Filled {
    let source = SourceText::new(TEMPLATE_FILE, template);
    let (Some(template), diagnostics) = yaml::read(&source) else { return Filled::Invalid };
    if crate::diagnostic::any_error(&diagnostics)
        || !matches!(template.kind, Kind::Map(_))
        || !well_formed(template.get("prompts"))
    {
        return Filled::Invalid;
    }
    let mut target = JsonMap::new();
    for entry in template.get("fixed").map(Yaml::entries).unwrap_or_default() {
        target.insert(entry.key.to_string(), entry.value.to_json());
    }
    if answers(template.get("prompts"), &mut target, ask).is_none() {
        return Filled::Unanswered;
    }
    let name = target.remove("target").as_ref().and_then(Json::as_str).unwrap_or("dev").to_owned();
    let mut text = format!("  outputs:\n    {}:\n", scalar(&Json::from(name.as_str())));
    target.sort_keys();
    for (key, value) in &target {
        let _ = writeln!(text, "      {}: {}", scalar(&Json::from(key.as_str())), scalar(value));
    }
    let _ = writeln!(text, "  target: {}", scalar(&Json::from(name)));
    Filled::Done(text)
}

/// Every question is a map, every choice a map of such maps.
fn well_formed(prompts: Option<&Yaml>) -> bool {
    prompts.map(Yaml::entries).unwrap_or_default().iter().all(|entry| match &*entry.key {
        key if key.starts_with("_choose") => entry.value.entries().iter().all(|option| well_formed(Some(&option.value))),
        key if key.starts_with("_fixed") => true,
        _ => matches!(entry.value.kind, Kind::Map(_)),
    })
}

/// None where an answer is missing.
fn answers(prompts: Option<&Yaml>, target: &mut JsonMap, ask: &mut dyn Ask) -> Option<()> {
    for entry in prompts.map(Yaml::entries).unwrap_or_default() {
        let key = &*entry.key;
        if let Some(what) = key.strip_prefix("_choose") {
            let options = entry.value.entries();
            let listed = options.iter().enumerate().map(|(number, option)| format!("[{}] {}\n", number + 1, option.key));
            let what = what.trim_start_matches('_').replace('_', " ");
            let question = format!("{}Desired {what} option (enter a number)", listed.collect::<String>());
            let chosen = choose(ask, &question, options.len())?;
            answers(options.get(chosen).map(|option| &option.value), target, ask)?;
        } else if let Some(key) = key.strip_prefix("_fixed") {
            target.insert(key.trim_start_matches('_').to_owned(), entry.value.to_json());
        } else {
            target.insert(key.to_owned(), answer(key, &entry.value, ask)?);
        }
    }
    Some(())
}

/// One answer, of the kind that is wanted; asked again until it is.
fn answer(key: &str, question: &Yaml, ask: &mut dyn Ask) -> Option<Json> {
    let given = |key: &str| question.get(key).filter(|value| !value.is_null());
    let default = given("default").map(Yaml::to_json);
    let hidden = given("hide_input").and_then(Yaml::as_bool) == Some(true);
    let hint = given("hint").map(|hint| format!(" ({})", plain(&hint.to_json()))).unwrap_or_default();
    let shown = default.as_ref().map(|default| format!(" [{}]", plain(default))).unwrap_or_default();
    let kind = given("type").and_then(Yaml::as_str).unwrap_or("string");
    loop {
        let line = ask.line(&format!("{key}{hint}{shown}: "), hidden)?;
        let text = line.trim();
        let read = match (text, &default, kind) {
            ("", Some(default), _) => return Some(default.clone()),
            ("", None, _) => continue,
            (text, _, "int") => text.parse::<i64>().ok().map(Json::from),
            (text, _, "float") => text.parse::<f64>().ok().map(Json::from),
            (text, _, "bool") => truth(text).map(Json::from),
            (text, ..) => Some(text.into()),
        };
        match read {
            Some(read) => return Some(read),
            None => ask.say(&format!("Error: '{text}' is not a valid {kind}.")),
        }
    }
}

fn truth(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "1" | "true" | "t" | "yes" | "y" | "on" => Some(true),
        "0" | "false" | "f" | "no" | "n" | "off" => Some(false),
        _ => None,
    }
}

/// The place of the chosen of so many options.
fn choose(ask: &mut dyn Ask, question: &str, options: usize) -> Option<usize> {
    loop {
        let line = ask.line(&format!("{question}: "), false)?;
        match line.trim() {
            "" => {}
            text => match text.parse::<usize>() {
                Ok(number) if (1..=options).contains(&number) => return Some(number - 1),
                _ => ask.say(&format!("Error: '{text}' is not a number from 1 to {options}.")),
            },
        }
    }
}

/// Yes or no, no unless said. None where there is no answer.
pub fn confirm(ask: &mut dyn Ask, question: &str) -> Option<bool> {
    loop {
        let line = ask.line(&format!("{question} [y/N]: "), false)?;
        match line.trim() {
            "" => return Some(false),
            text => match truth(text) {
                Some(answer) => return Some(answer),
                None => ask.say("Error: invalid input"),
            },
        }
    }
}

fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A value as YAML, quoted where it would be read as something else.
fn scalar(value: &Json) -> String {
    let Some(text) = value.as_str() else { return value.to_string() };
    let fits = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | '/');
    let simple = text.starts_with(|first: char| first.is_alphabetic() || matches!(first, '_' | '/')) && text.chars().all(fits);
    let word = matches!(text.to_lowercase().as_str(), "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n" | "null");
    if simple && !word { text.to_owned() } else { format!("'{}'", text.replace('\'', "''")) }
}

/// Whether a profiles.yml has a profile.
pub fn has_profile(file: &str, name: &str) -> bool {
    let source = SourceText::new(super::PROFILES_FILE, file);
    yaml::read(&source).0.is_some_and(|yaml| yaml.entry(name).is_some())
}

/// The text of profiles.yml with a profile in it, in the place of one of that name, else at the end. All else stays as it is.
pub fn with_profile(file: Option<&str>, name: &str, profile: &str) -> String {
    let own = format!("{}:\n{profile}", scalar(&Json::from(name)));
    let Some(file) = file.filter(|file| !file.trim().is_empty()) else { return own };
    let source = SourceText::new(super::PROFILES_FILE, file);
    let yaml = yaml::read(&source).0;
    let entries = yaml.as_ref().map(Yaml::entries).unwrap_or_default();
    if let Some(at) = entries.iter().position(|entry| &*entry.key == name) {
        let start = entries[at].key_span.start;
        let end = entries.get(at + 1).map_or(file.len(), |next| next.key_span.start);
        return format!("{}{own}{}", &file[..start], &file[end..]);
    }
    let gap = if file.ends_with('\n') { "\n" } else { "\n\n" };
    format!("{file}{gap}{own}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers from a list; keeps what was asked.
    struct Scripted {
        answers: Vec<&'static str>,
        asked: Vec<String>,
    }

    impl Scripted {
        fn new(answers: &[&'static str]) -> Self {
            Self { answers: answers.iter().rev().copied().collect(), asked: Vec::new() }
        }
    }

    impl Ask for Scripted {
        fn line(&mut self, prompt: &str, hidden: bool) -> Option<String> {
            self.asked.push(format!("{prompt}{}", if hidden { "(hidden)" } else { "" }));
            self.answers.pop().map(str::to_owned)
        }

        fn say(&mut self, text: &str) {
            self.asked.push(text.to_owned());
        }
    }

    #[test]
    fn a_database_is_chosen_and_its_questions_are_asked() {
        let mut ask = Scripted::new(&["3", "two", "2", "", "localhost", "x", "", "me", "on", "db", "main", "4"]);
        let profile = ask_for_profile(&mut ask).expect("all is answered");
        assert_eq!(
            with_profile(None, "shop", &profile),
            "shop:\n  outputs:\n    dev:\n      dbname: db\n      host: localhost\n      pass: 'on'\n      port: 5432\n      schema: main\n      threads: 4\n      type: postgres\n      user: me\n  target: dev\n"
        );
        assert!(
            ask.asked.contains(&"port [5432]: ".to_owned()) && ask.asked.contains(&"Error: 'x' is not a valid int.".to_owned())
        );
        assert!(ask.asked.contains(&"pass (that user's password): (hidden)".to_owned()), "{:?}", ask.asked);
        assert!(ask_for_profile(&mut Scripted::new(&["1"])).expect("a profile").contains("path: dev.duckdb"));
        assert!(ask_for_profile(&mut Scripted::new(&["2", "localhost"])).is_none());
    }

    #[test]
    fn a_template_has_choices_and_fixed_values() {
        let template = "fixed: {type: postgres, target: my_target}\nprompts:\n  _choose_login:\n    password:\n      pass: {}\n    key:\n      _fixed_method: key\n      path: {hint: a file}\n  wide: {type: bool}\n";
        let mut ask = Scripted::new(&["2", "/k", "maybe", "yes"]);
        let Filled::Done(text) = fill(template, &mut ask) else { panic!("{:?}", ask.asked) };
        assert_eq!(
            text,
            "  outputs:\n    my_target:\n      method: key\n      path: /k\n      type: postgres\n      wide: true\n  target: my_target\n"
        );
        assert_eq!(ask.asked[0], "[1] password\n[2] key\nDesired login option (enter a number): ");
        assert!(matches!(fill("invalid template", &mut Scripted::new(&[])), Filled::Invalid));
    }

    #[test]
    fn profiles_stand_beside_one_another() {
        let file = "# mine\none:\n  target: a\n\ntwo:\n  target: b\n";
        assert!(has_profile(file, "two") && !has_profile(file, "three"));
        assert_eq!(with_profile(Some(file), "three", "  x: 1\n"), format!("{file}\nthree:\n  x: 1\n"));
        assert_eq!(with_profile(Some(file), "one", "  x: 1\n"), "# mine\none:\n  x: 1\ntwo:\n  target: b\n");
        assert_eq!(with_profile(Some(file), "two", "  x: 1\n"), "# mine\none:\n  target: a\n\ntwo:\n  x: 1\n");
        assert_eq!(confirm(&mut Scripted::new(&["what", "Y"]), "Sure?"), Some(true));
    }
}
