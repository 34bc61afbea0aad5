//! Builds clap's parser from the table of flags, and reads the environment's share.

use std::collections::HashMap;
use std::ffi::OsString;
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command as Clap};

use super::flags::{self, Flag, GLOBAL, Kind};
use super::{Command, Request, environment, rules, usage};
use crate::manifest::{Json, JsonMap};

const DBT_VERSION: &str = "1.12.6";

/// Each verb: its words, what it is for, and examples for `--help`.
const VERBS: &[(Command, &str, &str, &str)] = &[
    (
        Command::Build,
        "build",
        "Seed, run, snapshot and test, in the order of the graph",
        "  lineal build\n  lineal build --select staging+ --full-refresh\n  lineal build --select tag:daily,orders+ --exclude resource_type:test",
    ),
    (Command::Run, "run", "Materialize models", "  lineal run --select orders+\n  lineal run --full-refresh --threads 8"),
    (
        Command::Test,
        "test",
        "Run data tests and unit tests",
        "  lineal test --select orders\n  lineal test --select test_type:unit",
    ),
    (Command::Seed, "seed", "Load CSV files", "  lineal seed --full-refresh --select raw_orders"),
    (Command::Snapshot, "snapshot", "Record how rows change", "  lineal snapshot"),
    (
        Command::Compile,
        "compile",
        "Write the SQL of nodes without running it",
        "  lineal compile --select orders\n  lineal compile --inline \"select * from {{ ref('orders') }}\"",
    ),
    (Command::Parse, "parse", "Read the project and write manifest.json", "  lineal parse"),
    (
        Command::List,
        "list",
        "List resources",
        "  lineal ls --select +orders --output path\n  lineal ls --resource-type model --output json --output-keys name tags",
    ),
    (
        Command::Show,
        "show",
        "Show rows of a node or of a query",
        "  lineal show --select orders --limit 20\n  lineal show --inline \"select count(*) from {{ ref('orders') }}\"",
    ),
    (Command::RunOperation, "run-operation", "Call a macro", "  lineal run-operation grant_select --args '{role: reporter}'"),
    (Command::Debug, "debug", "Check profile, project and connection", "  lineal debug --target prod"),
    (Command::Clean, "clean", "Delete the folders of clean-targets", "  lineal clean"),
    (Command::Init, "init", "Make a new project", "  lineal init my_project"),
    (Command::Deps, "deps", "Install packages", "  lineal deps"),
    (Command::Retry, "retry", "Run again what failed or was skipped", "  lineal retry"),
    (Command::Clone, "clone", "Clone relations of another state", "  lineal clone --state prod-artifacts"),
];

/// Reads words (the first is the program's name) and environment. `Err` is the exit code after help, version or a
/// complaint has been printed: 0 or 2.
pub fn parse(words: &[OsString], env: &HashMap<String, String>) -> Result<Request, ExitCode> {
    if words.iter().skip(1).any(|word| word == "--version" || word == "-v" || word == "-V") {
        println!("{}", version_text());
        return Err(ExitCode::SUCCESS);
    }
    let program =
        words.first().map(|word| std::path::Path::new(word).file_stem().unwrap_or_default().to_string_lossy().into_owned());
    let name = if program.as_deref() == Some("dbt") { "dbt" } else { "lineal" };
    let matches = match clap(name).try_get_matches_from(words) {
        Ok(matches) => matches,
        Err(error) if !error.use_stderr() => {
            let _ = error.print();
            return Err(ExitCode::SUCCESS);
        }
        Err(error) => return Err(usage::complain(name, &usage::in_clicks_words(&error))),
    };
    let Some((command, levels, of_history)) = verb(&matches) else {
        let _ = clap(name).print_help();
        return Err(ExitCode::from(2));
    };
    let request = request(command, &levels, words, env).map_err(|problem| usage::complain(name, &problem))?;
    Ok(Request { of_history, ..request })
}

/// `levels`: what was given at the verb itself, then before it, back to the program's name.
fn request(
    command: Command,
    levels: &[&ArgMatches],
    words: &[OsString],
    env: &HashMap<String, String>,
) -> Result<Request, String> {
    let inner = levels[0];
    let mut given = JsonMap::new();
    let own = flags::of(command).iter().filter_map(|name| flags::named(name));
    let own = own.map(|flag| (flag, typed(inner, flag)));
    let global = GLOBAL.iter().map(|flag| (flag, levels.iter().find_map(|level| typed(level, flag))));
    for (flag, typed) in global.chain(own) {
        let value = match typed {
            Some(value) => Some(value),
            None => environment::value(flag, env)?,
        };
        if let Some(value) = value {
            given.insert(flag.name.to_owned(), value);
        }
    }
    let mut warnings = Vec::new();
    for (name, value, warning) in environment::former(env) {
        given.insert(name.to_owned(), value);
        warnings.push(warning);
    }
    warnings.extend(environment::unknown(env));
    let words_given = inner.try_get_many::<String>("words").ok().flatten().into_iter().flatten().cloned().collect();
    let line: Vec<String> = words.iter().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let mut request =
        Request { command, given, words: words_given, line: format!("dbt {}", line.join(" ")), of_history: false, warnings };
    rules::settle(&mut request, &line)?;
    Ok(request)
}

/// What `--version` prints: our version, and the lines that tools look for.
fn version_text() -> String {
    let own = env!("CARGO_PKG_VERSION");
    format!(
        "lineal {own}\n\nCore:\n  - installed: {DBT_VERSION}\n  - latest:    {DBT_VERSION} - Up to date!\n\nPlugins:\n  - duckdb: 1.11.1 - Up to date!\n  - postgres: 1.11.0 - Up to date!\n"
    )
}

/// Verbs of `lineal history`: each is the verb itself, on the project over the run history.
const OF_HISTORY: [Command; 4] = [Command::Build, Command::Test, Command::Show, Command::List];

/// The command, its levels (see [`request`]), and whether it is one of `lineal history`.
fn verb(matches: &ArgMatches) -> Option<(Command, Vec<&ArgMatches>, bool)> {
    let plain = |name: &str| VERBS.iter().find(|(_, verb, _, _)| *verb == name).map(|(command, ..)| *command);
    let (name, outer) = matches.subcommand()?;
    match name {
        "docs" | "source" => {
            let (sub, inner) = outer.subcommand()?;
            let command = match sub {
                "generate" => Command::DocsGenerate,
                "serve" => Command::DocsServe,
                _ => Command::SourceFreshness,
            };
            Some((command, vec![inner, outer, matches], false))
        }
        "history" => {
            let (sub, inner) = outer.subcommand()?;
            Some((plain(sub)?, vec![inner, outer, matches], true))
        }
        name => Some((plain(name)?, vec![outer, matches], false)),
    }
}

/// lineal's own verb: the models over the run history.
fn history() -> Clap {
    let mut history = Clap::new("history")
        .about("Build, test and show tables over the project's run history (lineal's own verb)")
        .after_help("Examples:\n  lineal history build\n  lineal history show --select flaky_tests\n  lineal history ls")
        .subcommand_required(true)
        .defer(with_global);
    for (command, verb, about, _) in VERBS.iter().filter(|(command, ..)| OF_HISTORY.contains(command)) {
        let sub = Clap::new(*verb).about(*about).defer(with_arguments);
        history = history.subcommand(if *command == Command::List { sub.visible_alias("ls") } else { sub });
    }
    history
}

fn clap(name: &'static str) -> Clap {
    let about = "Runs dbt projects: compiles, builds, tests and documents them";
    let mut root = with_global(Clap::new(name))
        .about(about)
        .disable_version_flag(true)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .infer_long_args(false)
        .after_help("Examples:\n  lineal build\n  lineal test --select orders+\n  lineal <verb> --help")
        .arg(Arg::new("version").long("version").short('v').short_alias('V').action(ArgAction::SetTrue).help("Show the version"));
    for (command, verb, about, examples) in VERBS {
        let sub = Clap::new(*verb).about(*about).after_help(format!("Examples:\n{examples}")).defer(with_arguments);
        root = root.subcommand(if *command == Command::List { sub.visible_alias("ls") } else { sub });
    }
    let docs = Clap::new("docs")
        .about("Make or serve the documentation")
        .subcommand_required(true)
        .defer(with_global)
        .subcommand(
            Clap::new("generate")
                .about("Write the documentation: manifest, catalog, site")
                .defer(|sub| with_own(sub, Command::DocsGenerate)),
        )
        .subcommand(Clap::new("serve").about("Serve the documentation").defer(|sub| with_own(sub, Command::DocsServe)));
    let source = Clap::new("source").about("Work with sources").subcommand_required(true).defer(with_global).subcommand(
        Clap::new("freshness")
            .about("Check how old the sources' data is")
            .visible_alias("snapshot-freshness")
            .defer(|sub| with_own(sub, Command::SourceFreshness)),
    );
    root.subcommand(docs).subcommand(source).subcommand(history())
}

/// A verb's arguments, added when that verb is the one given: to make those of all verbs takes as long as a small parse.
fn with_arguments(sub: Clap) -> Clap {
    let Some((command, ..)) = VERBS.iter().find(|(_, verb, ..)| *verb == sub.get_name()) else { return sub };
    let word = |name| Arg::new("words").value_name(name).num_args(0..=1);
    let sub = match command {
        Command::RunOperation => sub.arg(word("MACRO")),
        Command::Init => sub.arg(word("PROJECT")),
        _ => sub,
    };
    with_own(sub, *command)
}

fn with_own(mut sub: Clap, command: Command) -> Clap {
    let own = flags::of(command);
    for flag in own.iter().filter_map(|name| flags::named(name)) {
        // Elsewhere `--models` is another name of `--select`; `ls` takes it to mean models only.
        let mut flag = *flag;
        if flag.name == "select" && own.contains(&"models") {
            flag.aliases = &[];
        }
        for arg in args(&flag, false) {
            sub = sub.arg(arg);
        }
    }
    with_global(sub)
}

/// The flags of every verb, which stand before or after it. Not as clap's global arguments: it copies those into each
/// of the verbs, megabytes for the one that is given.
fn with_global(mut sub: Clap) -> Clap {
    for flag in GLOBAL {
        for arg in args(flag, true) {
            sub = sub.arg(arg);
        }
    }
    sub
}

/// A flag's clap arguments: toggles have two.
fn args(flag: &Flag, global: bool) -> Vec<Arg> {
    let mut help = flag.help.to_owned();
    if let Some(env) = flag.env {
        help.push_str(&format!(" [DBT_{env}]"));
    }
    let mut arg = Arg::new(flag.name).long(flag.long).hide(flag.hidden).help(help);
    if global {
        arg = arg.help_heading("Everywhere");
    }
    if let Some(short) = flag.short {
        arg = arg.short(short);
    }
    if flag.name == "select" && !flag.aliases.is_empty() {
        arg = arg.short_alias('m');
    }
    arg = arg.visible_aliases(flag.aliases.to_vec());
    let arg = match flag.kind {
        Kind::Toggle => {
            let no = format!("no_{}", flag.name);
            let yes = arg.action(ArgAction::SetTrue).overrides_with(no.clone());
            let mut no_arg =
                Arg::new(no).long(format!("no-{}", flag.long)).action(ArgAction::SetTrue).overrides_with(flag.name).hide(true);
            if global {
                no_arg = no_arg.help_heading("Everywhere");
            }
            return vec![yes.overrides_with(flag.name), no_arg];
        }
        Kind::Switch => arg.action(ArgAction::SetTrue).overrides_with(flag.name),
        Kind::Text => arg.action(ArgAction::Set).overrides_with(flag.name).value_name("TEXT"),
        Kind::Number => arg
            .action(ArgAction::Set)
            .overrides_with(flag.name)
            .value_parser(clap::value_parser!(i64))
            .allow_negative_numbers(true)
            .value_name("N"),
        Kind::Words => arg.action(ArgAction::Append).num_args(1..).value_name("WORDS"),
        Kind::Choice(choices) => arg
            .action(ArgAction::Set)
            .overrides_with(flag.name)
            .value_parser(PossibleValuesParser::new(choices))
            .ignore_case(true),
        Kind::Choices(choices) => arg
            .action(ArgAction::Append)
            .num_args(1..)
            .value_delimiter(' ')
            .value_parser(PossibleValuesParser::new(choices))
            .ignore_case(true),
    };
    vec![arg]
}

/// The flag's value from the words, if they gave one.
fn typed(matches: &ArgMatches, flag: &Flag) -> Option<Json> {
    let given = |name: &str| matches.value_source(name) == Some(ValueSource::CommandLine);
    match flag.kind {
        Kind::Toggle => {
            let no = format!("no_{}", flag.name);
            if given(flag.name) && matches.get_flag(flag.name) {
                return Some(true.into());
            }
            (given(&no) && matches.get_flag(&no)).then(|| false.into())
        }
        _ if !given(flag.name) => None,
        Kind::Switch => Some(matches.get_flag(flag.name).into()),
        Kind::Text => matches.get_one::<String>(flag.name).map(|text| text.as_str().into()),
        Kind::Number => matches.get_one::<i64>(flag.name).map(|number| (*number).into()),
        Kind::Choice(_) => matches.get_one::<String>(flag.name).map(|text| text.to_lowercase().into()),
        Kind::Words => Some(matches.get_occurrences::<String>(flag.name)?.flat_map(spread).map(Json::from).collect()),
        Kind::Choices(_) => Some(matches.get_many::<String>(flag.name)?.map(|text| Json::from(text.to_lowercase())).collect()),
    }
}

/// The words behind one flag; the first may hold several, as in `--select "a b"`.
fn spread<'a>(words: impl Iterator<Item = &'a String>) -> Vec<&'a str> {
    words.enumerate().flat_map(|(at, word)| if at == 0 { word.split(' ').collect() } else { vec![word.as_str()] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(line: &str, env: &[(&str, &str)]) -> Request {
        let words: Vec<OsString> = std::iter::once("lineal").chain(line.split(' ')).map(OsString::from).collect();
        let env = env.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        parse(&words, &env).unwrap()
    }

    #[test]
    fn the_parser_is_sound() {
        clap("lineal").debug_assert();
    }

    #[test]
    fn global_flags_stand_before_and_after_the_verb() {
        for line in ["--quiet run", "run --quiet", "run -q", "--quiet docs generate", "docs --quiet generate", "docs generate -q"]
        {
            assert!(request(line, &[]).is("quiet"), "{line}");
        }
        assert_eq!(request("run --no-quiet", &[]).given.get("quiet"), Some(&Json::Bool(false)));
        assert_eq!(request("--no-write-json run", &[]).given.get("write_json"), Some(&Json::Bool(false)));
    }

    #[test]
    fn select_takes_many_words_under_all_its_names() {
        for line in ["run --select a b+", "run -s a b+", "run -m a b+", "run --models a --select b+", "run --model a b+"] {
            assert_eq!(request(line, &[]).list("select"), ["a", "b+"], "{line}");
        }
    }

    #[test]
    fn kinds_of_resources_may_stand_in_one_word() {
        let words = ["lineal", "ls", "--resource-type", "model unit_test", "--resource-type", "seed"].map(OsString::from);
        let request = parse(&words, &HashMap::new()).unwrap();
        assert_eq!(request.list("resource_types"), ["model", "unit_test", "seed"]);
    }

    #[test]
    fn the_command_line_beats_the_environment() {
        let env = [("DBT_TARGET", "prod"), ("DBT_FULL_REFRESH", "1"), ("DBT_ENGINE_QUIET", "true")];
        let request = request("run --target dev", &env);
        assert_eq!(request.text("target"), Some("dev"));
        assert!(request.is("full_refresh"));
        assert!(request.is("quiet"));
    }
}
